package tbsi.ledger;

import static net.corda.core.serialization.internal.SerializationEnvironmentKt.get_contextSerializationEnv;
import static net.corda.coretesting.internal.InternalSerializationTestHelpersKt.createTestSerializationEnv;
import static net.corda.testing.common.internal.ParametersUtilitiesKt.testNetworkParameters;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.TransactionVerificationException;
import net.corda.core.identity.CordaX500Name;
import net.corda.core.identity.Party;
import net.corda.core.node.NotaryInfo;
import net.corda.core.transactions.SignedTransaction;
import net.corda.core.transactions.TransactionBuilder;
import net.corda.core.utilities.OpaqueBytes;
import net.corda.testing.core.TestIdentity;
import net.corda.testing.node.MockServices;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tbsi.cordapp.AttestationContract.Commands;
import tbsi.cordapp.AttestedDocument;
import tbsi.cordapp.TrustedNetwork;
import tbsi.verifier.Genesis;

/** Transactions as a flow makes them: built, signed, verified, recorded, and built upon. */
class TransactionsTest {
    private static final Party NOTARY = identity("Notary").getParty();
    private static final TestIdentity ALICE = identity("Alice");
    private static final TestIdentity BOB = identity("Bob");
    private static final MockServices SERVICES = new MockServices(
            Collections.singletonList("tbsi.cordapp"), ALICE,
            testNetworkParameters(Collections.singletonList(new NotaryInfo(NOTARY, true)), 4), BOB);

    private static TestIdentity identity(String name) {
        return new TestIdentity(new CordaX500Name(name, "Taipei", "TW"));
    }

    @BeforeAll
    static void setUpSerialization() {
        // As a node does.
        get_contextSerializationEnv().set(createTestSerializationEnv());
    }

    @AfterAll
    static void takeSerializationDown() {
        get_contextSerializationEnv().set(null);
    }

    @Test
    void aDocumentIsIssuedUnderARecordedNetwork() throws Exception {
        Genesis genesis = Genesis.parse(BundleVectors.genesisFile());
        TrustedNetwork network =
                TrustedNetwork.founded(genesis, Collections.singletonList(ALICE.getParty()));
        SignedTransaction trusted = SERVICES.signInitialTransaction(new TransactionBuilder(NOTARY)
                .addOutputState(network)
                .addCommand(new Commands.Trust(), ALICE.getPublicKey()));
        trusted.verify(SERVICES);
        SERVICES.recordTransactions(trusted);

        StateAndRef<TrustedNetwork> reference = trusted.getTx().outRef(0);
        OpaqueBytes proof = new OpaqueBytes(BundleVectors.compact("two handovers"));
        AttestedDocument document = AttestedDocument.prove(proof, network, ALICE.getParty());
        SignedTransaction issued = issue(reference, document);
        issued.verify(SERVICES, false);
        assertEquals(document, issued.getTx().outRef(0).getState().getData());

        SignedTransaction unsigned = issue(reference, document.withOwner(BOB.getParty()));
        TransactionVerificationException error = assertThrows(
                TransactionVerificationException.class, () -> unsigned.verify(SERVICES, false));
        assertTrue(error.getMessage().contains("the signature of the owner is needed"));
    }

    /** Signed by Alice, and not by the notary yet. */
    private static SignedTransaction issue(
            StateAndRef<TrustedNetwork> network, AttestedDocument document) {
        return SERVICES.signInitialTransaction(new TransactionBuilder(NOTARY)
                .addReferenceState(network.referenced())
                .addOutputState(document)
                .addCommand(new Commands.Issue(), ALICE.getPublicKey()));
    }
}
