import java.io.FileInputStream;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;

/** Validates a PDF with veraPDF; usage: java -cp 'JARS/*' Verify.java FILE FLAVOUR... */
public class Verify {
    public static void main(String[] arguments) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        var good = true;
        for (var i = 1; i < arguments.length; i++) {
            var flavour = PDFAFlavour.byFlavourId(arguments[i]);
            var foundry = Foundries.defaultInstance();
            try (var parser = foundry.createParser(new FileInputStream(arguments[0]), flavour)) {
                var result = foundry.createValidator(flavour, false).validate(parser);
                System.out.println(flavour + ": " + (result.isCompliant() ? "conforms" : "does not conform"));
                for (var assertion : result.getTestAssertions()) {
                    if (assertion.getStatus() != TestAssertion.Status.PASSED) {
                        System.out.println("  " + assertion.getRuleId().getClause() + " " + assertion.getMessage());
                    }
                }
                good &= result.isCompliant();
            }
        }
        System.exit(good ? 0 : 1);
    }
}
