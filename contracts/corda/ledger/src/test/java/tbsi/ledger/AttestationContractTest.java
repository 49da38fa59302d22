package tbsi.ledger;

import static net.corda.testing.common.internal.ParametersUtilitiesKt.testNetworkParameters;
import static net.corda.testing.node.NodeTestUtils.transaction;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import net.corda.core.contracts.CommandData;
import net.corda.core.contracts.ContractState;
import net.corda.core.identity.AbstractParty;
import net.corda.core.identity.CordaX500Name;
import net.corda.core.utilities.OpaqueBytes;
import net.corda.testing.core.TestIdentity;
import net.corda.testing.dsl.TransactionDSL;
import net.corda.testing.dsl.TransactionDSLInterpreter;
import net.corda.testing.node.MockServices;
import org.junit.jupiter.api.Test;
import tbsi.cordapp.AttestationContract;
import tbsi.cordapp.AttestationContract.Commands;
import tbsi.cordapp.AttestedDocument;
import tbsi.cordapp.TrustedNetwork;
import tbsi.verifier.Genesis;
import tbsi.verifier.Verifier;

/** The contract in Corda's own ledger: states and commands are serialized and loaded again. */
class AttestationContractTest {
    private static final TestIdentity ALICE = identity("Alice");
    private static final TestIdentity BOB = identity("Bob");
    private static final MockServices SERVICES = new MockServices(
            Arrays.asList("tbsi.cordapp", "tbsi.ledger"), ALICE,
            // Reference states need platform version 4.
            testNetworkParameters(Collections.emptyList(), 4), BOB);
    private static final OpaqueBytes PROOF =
            new OpaqueBytes(BundleVectors.compact("signed by a quorum"));
    private static final TrustedNetwork NETWORK =
            TrustedNetwork.founded(genesis(), Collections.singletonList(ALICE.getParty()));
    private static final AttestedDocument DOCUMENT =
            AttestedDocument.prove(PROOF, NETWORK, BOB.getParty());

    private static TestIdentity identity(String name) {
        return new TestIdentity(new CordaX500Name(name, "Taipei", "TW"));
    }

    private static Genesis genesis() {
        try {
            return Genesis.parse(BundleVectors.genesisFile());
        } catch (Genesis.UnusableException error) {
            throw new IllegalStateException(error);
        }
    }

    /** The parts of a transaction. */
    private static final class Draft {
        private final TransactionDSL<? extends TransactionDSLInterpreter> dsl;

        Draft(TransactionDSL<? extends TransactionDSLInterpreter> dsl) {
            this.dsl = dsl;
        }

        Draft in(ContractState state) {
            dsl.input(AttestationContract.ID, state);
            return this;
        }

        Draft out(ContractState... states) {
            for (ContractState it : states) {
                dsl.output(AttestationContract.ID, it);
            }
            return this;
        }

        Draft under(ContractState network) {
            return under(network, AttestationContract.ID);
        }

        Draft under(ContractState network, String contract) {
            dsl.reference(contract, network);
            return this;
        }

        Draft does(CommandData command, TestIdentity... signers) {
            List<PublicKey> keys = new ArrayList<>();
            for (TestIdentity it : signers) {
                keys.add(it.getPublicKey());
            }
            dsl.command(keys, command);
            return this;
        }
    }

    private static void verifies(Consumer<Draft> make) {
        transaction(SERVICES, dsl -> {
            make.accept(new Draft(dsl));
            return dsl.verifies();
        });
    }

    private static void fails(String reason, Consumer<Draft> make) {
        transaction(SERVICES, dsl -> {
            make.accept(new Draft(dsl));
            return dsl.failsWith(reason);
        });
    }

    private static TrustedNetwork network(List<AbstractParty> maintainers, int hashBytes) {
        return new TrustedNetwork(
                maintainers, NETWORK.getChainId(), new OpaqueBytes(new byte[hashBytes]),
                NETWORK.getValidatorSetHash(), NETWORK.getTimeMs(), NETWORK.getCheckpoint());
    }

    @Test
    void aNetworkIsTrustedByAllItsMaintainers() {
        Commands trust = new Commands.Trust();
        verifies(tx -> tx.out(NETWORK).does(trust, ALICE));
        fails("all maintainers", tx -> tx.out(NETWORK).does(trust, BOB));
        List<AbstractParty> both = Arrays.asList(ALICE.getParty(), BOB.getParty());
        verifies(tx -> tx.out(network(both, 32)).does(trust, ALICE, BOB));
        fails("all maintainers", tx -> tx.out(network(both, 32)).does(trust, BOB));
        List<AbstractParty> twice = Arrays.asList(ALICE.getParty(), ALICE.getParty());
        fails("each once", tx -> tx.out(network(twice, 32)).does(trust, ALICE));
        fails("1 to 64 maintainers", tx -> tx.out(network(Collections.emptyList(), 32))
                .does(trust, ALICE));
        List<AbstractParty> many = new ArrayList<>();
        while (many.size() < 65) {
            many.add(identity("Member " + many.size()).getParty());
        }
        fails("1 to 64 maintainers", tx -> tx.out(network(many, 32)).does(trust, ALICE));
        fails("genesis hash has 31 bytes", tx -> tx.out(
                network(NETWORK.getMaintainers(), 31)).does(trust, ALICE));
        fails("not 0 and 2", tx -> tx.out(NETWORK, NETWORK).does(trust, ALICE));
        fails("not 1 and 1", tx -> tx.in(NETWORK).out(NETWORK).does(trust, ALICE));
        TrustedNetwork tooShort = new TrustedNetwork(
                NETWORK.getMaintainers(), 1, NETWORK.getGenesisHash(),
                NETWORK.getValidatorSetHash(), 1, new OpaqueBytes(new byte[191]));
        fails("bytes needed", tx -> tx.out(tooShort).does(trust, ALICE));
    }

    @Test
    void aDocumentIsWhatItsProofSays() {
        Commands issue = new Commands.Issue();
        verifies(tx -> tx.under(NETWORK).out(DOCUMENT).does(issue, BOB));
        verifies(tx -> tx.under(NETWORK).out(DOCUMENT, DOCUMENT.withOwner(ALICE.getParty()))
                .does(issue, BOB, ALICE));
        fails("signature of the owner", tx -> tx.under(NETWORK).out(DOCUMENT).does(issue, ALICE));
        fails("under one network as reference, not 0", tx -> tx.out(DOCUMENT).does(issue, BOB));
        fails("under one network as reference, not 2",
                tx -> tx.under(NETWORK).under(NETWORK).out(DOCUMENT).does(issue, BOB));
        fails("not 0 and 1", tx -> tx.under(NETWORK).out(NETWORK, DOCUMENT).does(issue, BOB));
        fails("1 to 16 documents", tx -> tx.under(NETWORK).out(NETWORK).does(issue, BOB));
        AttestedDocument[] many = new AttestedDocument[17];
        Arrays.fill(many, DOCUMENT);
        fails("1 to 16 documents", tx -> tx.under(NETWORK).out(many).does(issue, BOB));
        for (int field = 0; field < 7; field++) {
            AttestedDocument other = other(field);
            fails("must say what its proof and network say",
                    tx -> tx.under(NETWORK).out(other).does(issue, BOB));
        }
    }

    /** A document that is wrong in one field. */
    private static AttestedDocument other(int field) {
        OpaqueBytes wrong = new OpaqueBytes(new byte[32]);
        AttestedDocument it = DOCUMENT;
        List<AbstractParty> bob = Collections.singletonList(BOB.getParty());
        return new AttestedDocument(
                field == 0 ? bob : it.getMaintainers(), it.getOwner(),
                field == 1 ? wrong : it.getGenesisHash(), it.getAlgorithm() + (field == 2 ? 1 : 0),
                field == 3 ? wrong : it.getDigest(),
                field == 4 ? new OpaqueBytes(new byte[20]) : it.getIssuer(),
                field == 5 ? wrong : it.getAttestationId(), it.getTimeMs() + (field == 6 ? 1 : 0),
                it.getProof());
    }

    private static AttestedDocument withProof(byte[] proof) {
        AttestedDocument it = DOCUMENT;
        return new AttestedDocument(
                it.getMaintainers(), it.getOwner(), it.getGenesisHash(), it.getAlgorithm(),
                it.getDigest(), it.getIssuer(), it.getAttestationId(), it.getTimeMs(),
                new OpaqueBytes(proof));
    }

    private static void refusesProof(String reason, byte[] proof) {
        fails(reason, tx -> tx.under(NETWORK).out(withProof(proof))
                .does(new Commands.Issue(), BOB));
    }

    @Test
    void aProofMustHold() {
        refusesProof("(checkpoint): signatures carry 6 of 9",
                BundleVectors.compact("two thirds only"));
        refusesProof("(gap)", BundleVectors.compact("handovers left out"));
        refusesProof("(handover)", BundleVectors.compact("old set below quorum"));
        refusesProof("(unreadable)", BundleVectors.compact("truncated"));
        refusesProof("(form)", BundleVectors.compact("index not in its shortest form"));
        byte[] good = PROOF.getBytes().clone();
        for (int at : new int[] {4, 60, good.length / 2, good.length - 1}) {
            byte[] mutant = good.clone();
            mutant[at] ^= 1;
            refusesProof("the proof does not hold", mutant);
        }
        refusesProof("not in compact form", "{}".getBytes(StandardCharsets.US_ASCII));
        refusesProof("not in compact form", new byte[] {'T', 'B', 'P'});
        refusesProof("at most 262144", Arrays.copyOf(good, 256 * 1024 + 1));
        refusesProof("more than 524288 bytes together", Arrays.copyOf(good, 512 * 1024 + 1));
        AttestedDocument large = withProof(Arrays.copyOf(good, 200 * 1024));
        fails("more than 524288 bytes together", tx -> tx.under(NETWORK).out(large, large, large)
                .does(new Commands.Issue(), BOB));
        TrustedNetwork other = network(NETWORK.getMaintainers(), 32);
        fails("(otherNetwork)", tx -> tx.under(other).out(DOCUMENT)
                .does(new Commands.Issue(), BOB));
        assertThrows(
                IllegalArgumentException.class,
                () -> AttestedDocument.prove(PROOF, other, BOB.getParty()));
    }

    @Test
    void aNetworkThatAnotherContractLetThroughIsNone() {
        // Corda itself refuses a state under another contract than the one that it names.
        fails("is bundled in TransactionState with tbsi.ledger.LaxContract",
                tx -> tx.under(NETWORK, LaxContract.ID).out(DOCUMENT)
                        .does(new Commands.Issue(), BOB));
    }

    @Test
    void aLaterCheckpointFollowsFromAProof() {
        OpaqueBytes proof = new OpaqueBytes(BundleVectors.compact("two handovers"));
        Commands advance = new Commands.Advance(proof);
        AttestedDocument later = AttestedDocument.prove(proof, NETWORK, BOB.getParty());
        TrustedNetwork advanced = NETWORK.at(Verifier.verify(
                proof.getBytes(), NETWORK.anchor()).decision().checkpoint());
        verifies(tx -> tx.in(NETWORK).out(advanced).does(advance, ALICE));
        fails("all maintainers", tx -> tx.in(NETWORK).out(advanced).does(advance, BOB));
        fails("stay as it is", tx -> tx.in(NETWORK).out(NETWORK).does(advance, ALICE));
        fails("trusted already", tx -> tx.in(advanced).out(advanced).does(advance, ALICE));
        fails("not 0 and 1", tx -> tx.out(advanced).does(advance, ALICE));
        fails("not 1 and 0", tx -> tx.in(NETWORK).does(advance, ALICE));
        Commands back = new Commands.Advance(PROOF);
        fails("(beforeTrusted)", tx -> tx.in(advanced).out(advanced).does(back, ALICE));
        OpaqueBytes bad = new OpaqueBytes(BundleVectors.compact("new set below quorum"));
        fails("(handover)", tx -> tx.in(NETWORK).out(advanced)
                .does(new Commands.Advance(bad), ALICE));
        // What it proves is issued under either, with the same state.
        verifies(tx -> tx.under(advanced).out(later).does(new Commands.Issue(), BOB));
        verifies(tx -> tx.under(NETWORK).out(later).does(new Commands.Issue(), BOB));
        assertEquals(later, AttestedDocument.prove(proof, advanced, BOB.getParty()));
    }

    @Test
    void anOwnerTransfersAndDiscards() {
        AttestedDocument mine = DOCUMENT.withOwner(ALICE.getParty());
        Commands transfer = new Commands.Transfer();
        verifies(tx -> tx.in(DOCUMENT).out(mine).does(transfer, BOB));
        fails("signature of the owner", tx -> tx.in(DOCUMENT).out(mine).does(transfer, ALICE));
        fails("nothing but the owner", tx -> tx.in(DOCUMENT).out(other(3)).does(transfer, BOB));
        fails("not 1 and 2", tx -> tx.in(DOCUMENT).out(mine, mine).does(transfer, BOB));
        verifies(tx -> tx.in(DOCUMENT).does(new Commands.Discard(), BOB));
        fails("signature of the owner", tx -> tx.in(DOCUMENT).does(new Commands.Discard(), ALICE));
        fails("not 1 and 1", tx -> tx.in(DOCUMENT).out(DOCUMENT)
                .does(new Commands.Discard(), BOB));
        verifies(tx -> tx.in(NETWORK).does(new Commands.Withdraw(), ALICE));
        fails("all maintainers", tx -> tx.in(NETWORK).does(new Commands.Withdraw(), BOB));
        fails("not 1 and 1", tx -> tx.in(NETWORK).out(NETWORK)
                .does(new Commands.Withdraw(), ALICE));
    }

    @Test
    void aTransactionDoesOneThing() {
        fails("one command of this contract, not 2", tx -> tx.in(DOCUMENT)
                .does(new Commands.Discard(), BOB).does(new Commands.Withdraw(), BOB));
        fails("one command of this contract, not 0", tx -> tx.in(DOCUMENT)
                .does(new LaxContract.Anything(), BOB));
    }
}
