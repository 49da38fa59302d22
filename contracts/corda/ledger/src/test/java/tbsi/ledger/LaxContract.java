package tbsi.ledger;

import net.corda.core.contracts.CommandData;
import net.corda.core.contracts.Contract;
import net.corda.core.contracts.TypeOnlyCommandData;
import net.corda.core.transactions.LedgerTransaction;
import org.jetbrains.annotations.NotNull;

/** A contract that lets everything through, as a stranger may write it. */
public final class LaxContract implements Contract {
    static final String ID = "tbsi.ledger.LaxContract";

    /** Its command. */
    public static final class Anything extends TypeOnlyCommandData implements CommandData {}

    @Override
    public void verify(@NotNull LedgerTransaction tx) {}
}
