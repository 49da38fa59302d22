package tbsi.cordapp;

import java.security.PublicKey;
import java.util.HashSet;
import java.util.List;
import net.corda.core.contracts.Command;
import net.corda.core.contracts.CommandData;
import net.corda.core.contracts.Contract;
import net.corda.core.contracts.TypeOnlyCommandData;
import net.corda.core.identity.AbstractParty;
import net.corda.core.transactions.LedgerTransaction;
import net.corda.core.utilities.OpaqueBytes;
import org.jetbrains.annotations.NotNull;
import tbsi.verifier.Checkpoint;

/**
 * Which transactions may have states of {@link TrustedNetwork} and {@link AttestedDocument}. A
 * transaction has one of these commands:
 *
 * <table>
 * <caption>States and signers of each command</caption>
 * <tr><th>command</th><th>inputs</th><th>outputs</th><th>signers</th></tr>
 * <tr><td>Trust</td><td></td><td>a network</td><td>its maintainers</td></tr>
 * <tr><td>Advance</td><td>a network</td><td>it, at the checkpoint that the command's proof
 *     proves</td><td>its maintainers</td></tr>
 * <tr><td>Withdraw</td><td>a network</td><td></td><td>its maintainers</td></tr>
 * <tr><td>Issue</td><td>a network, as reference</td><td>1 to 16 documents, each as its proof
 *     proves</td><td>their owners</td></tr>
 * <tr><td>Transfer</td><td>a document</td><td>it, of another owner</td><td>the old owner</td></tr>
 * <tr><td>Discard</td><td>a document</td><td></td><td>its owner</td></tr>
 * </table>
 */
public final class AttestationContract implements Contract {
    /** As states name it. */
    public static final String ID = "tbsi.cordapp.AttestationContract";

    /** Of one transaction. */
    public static final int DOCUMENTS_MAX = 16;

    /** Of the proofs of one transaction together: some 8,000 signatures. */
    public static final int PROOFS_BYTES_MAX = 512 * 1024;

    /** Of one network. */
    public static final int MAINTAINERS_MAX = 64;

    /** What a transaction does. */
    public interface Commands extends CommandData {
        /** Begins to trust a network. */
        final class Trust extends TypeOnlyCommandData implements Commands {}

        /** Trusts a later checkpoint, which follows from what was trusted. */
        final class Advance implements Commands {
            private final OpaqueBytes proof;

            /** @param proof of any leaf, in compact form: its checkpoint is trusted next */
            public Advance(OpaqueBytes proof) {
                this.proof = proof;
            }

            /** The proof in compact form. */
            public OpaqueBytes getProof() {
                return proof;
            }
        }

        /** Trusts a network no longer. */
        final class Withdraw extends TypeOnlyCommandData implements Commands {}

        /** Brings attested documents onto the ledger. */
        final class Issue extends TypeOnlyCommandData implements Commands {}

        /** Gives a document to another owner. */
        final class Transfer extends TypeOnlyCommandData implements Commands {}

        /** Takes a document off the ledger. */
        final class Discard extends TypeOnlyCommandData implements Commands {}
    }

    @Override
    public void verify(@NotNull LedgerTransaction tx) {
        List<Command<Commands>> commands = tx.commandsOfType(Commands.class);
        Verification.require(commands.size() == 1,
                "a transaction has one command of this contract, not " + commands.size());
        Command<Commands> command = commands.get(0);
        new Verification(tx, new HashSet<>(command.getSigners())).verify(command.getValue());
    }

    /** One transaction, by the states that are this contract's. */
    private static final class Verification {
        private final LedgerTransaction tx;
        private final HashSet<PublicKey> signers;
        private final List<TrustedNetwork> networksIn;
        private final List<TrustedNetwork> networksOut;
        private final List<AttestedDocument> documentsIn;
        private final List<AttestedDocument> documentsOut;

        Verification(LedgerTransaction tx, HashSet<PublicKey> signers) {
            this.tx = tx;
            this.signers = signers;
            networksIn = tx.inputsOfType(TrustedNetwork.class);
            networksOut = tx.outputsOfType(TrustedNetwork.class);
            documentsIn = tx.inputsOfType(AttestedDocument.class);
            documentsOut = tx.outputsOfType(AttestedDocument.class);
        }

        void verify(Commands command) {
            if (command instanceof Commands.Trust) {
                count(0, 1, 0, 0);
                verifyTrust(networksOut.get(0));
            } else if (command instanceof Commands.Advance) {
                count(1, 1, 0, 0);
                verifyAdvance(((Commands.Advance) command).getProof());
            } else if (command instanceof Commands.Withdraw) {
                count(1, 0, 0, 0);
                requireSigned(networksIn.get(0).getMaintainers(), "all maintainers");
            } else if (command instanceof Commands.Issue) {
                require(!documentsOut.isEmpty() && documentsOut.size() <= DOCUMENTS_MAX,
                        "1 to " + DOCUMENTS_MAX + " documents are issued at once, not "
                                + documentsOut.size());
                count(0, 0, 0, documentsOut.size());
                verifyIssue(referenced());
            } else if (command instanceof Commands.Transfer) {
                count(0, 0, 1, 1);
                verifyTransfer(documentsIn.get(0), documentsOut.get(0));
            } else if (command instanceof Commands.Discard) {
                count(0, 0, 1, 0);
                requireSigned(documentsIn.get(0).getOwner(), "the owner");
            } else {
                throw new IllegalArgumentException("the command is unknown: " + command);
            }
        }

        private void verifyTrust(TrustedNetwork network) {
            List<AbstractParty> maintainers = network.getMaintainers();
            require(!maintainers.isEmpty() && maintainers.size() <= MAINTAINERS_MAX
                            && new HashSet<>(maintainers).size() == maintainers.size(),
                    "a network has 1 to " + MAINTAINERS_MAX + " maintainers, each once");
            network.anchor();
            requireSigned(maintainers, "all maintainers");
        }

        private void verifyAdvance(OpaqueBytes proof) {
            TrustedNetwork network = networksIn.get(0);
            requireSigned(network.getMaintainers(), "all maintainers");
            Checkpoint later = AttestedDocument.verify(proof, network).decision().checkpoint();
            require(networksOut.get(0).equals(network.at(later)),
                    "the network must stay as it is, at the checkpoint that the proof proves");
            require(!network.equals(networksOut.get(0)), "this checkpoint is trusted already");
        }

        /** The one network that documents are proven under. */
        private TrustedNetwork referenced() {
            // That it is a state of this contract is Corda's concern, since Corda 4.
            List<TrustedNetwork> found = tx.referenceInputsOfType(TrustedNetwork.class);
            require(found.size() == 1,
                    "documents are issued under one network as reference, not " + found.size());
            return found.get(0);
        }

        private void verifyIssue(TrustedNetwork network) {
            int bytes = 0;
            for (AttestedDocument it : documentsOut) {
                // No sum of 16 overflows.
                bytes += Math.min(it.getProof().getSize(), PROOFS_BYTES_MAX + 1);
            }
            require(bytes <= PROOFS_BYTES_MAX,
                    "the proofs have more than " + PROOFS_BYTES_MAX
                            + " bytes together; issue fewer documents at once");
            for (AttestedDocument it : documentsOut) {
                AttestedDocument proven =
                        AttestedDocument.prove(it.getProof(), network, it.getOwner());
                require(it.equals(proven), "a document must say what its proof and network say");
                requireSigned(it.getOwner(), "the owner");
            }
        }

        private void verifyTransfer(AttestedDocument before, AttestedDocument after) {
            require(after.equals(before.withOwner(after.getOwner())),
                    "a transfer changes nothing but the owner");
            requireSigned(before.getOwner(), "the owner");
        }

        private void count(int networks, int newNetworks, int documents, int newDocuments) {
            require(networksIn.size() == networks && networksOut.size() == newNetworks,
                    "this command takes " + networks + " networks and makes " + newNetworks
                            + ", not " + networksIn.size() + " and " + networksOut.size());
            require(documentsIn.size() == documents && documentsOut.size() == newDocuments,
                    "this command takes " + documents + " documents and makes " + newDocuments
                            + ", not " + documentsIn.size() + " and " + documentsOut.size());
        }

        private void requireSigned(List<AbstractParty> parties, String who) {
            for (AbstractParty it : parties) {
                requireSigned(it, who);
            }
        }

        private void requireSigned(AbstractParty party, String who) {
            require(signers.contains(party.getOwningKey()),
                    "the signature of " + who + " is needed");
        }

        private static void require(boolean holds, String rule) {
            if (!holds) {
                throw new IllegalArgumentException(rule);
            }
        }
    }
}
