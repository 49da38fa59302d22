//! Instructions that log, counted.

use revm::bytecode::opcode::LOG0;
use revm::context_interface::JournalTr;
use revm::interpreter::instructions::host;
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::{Instruction, InstructionContext, InstructionExecResult};
use tbsi_types::StateView;

use crate::environment::{Evm, Machine};

/// Lets the instructions that log be counted.
pub(super) fn count_logs<'v, V: StateView + ?Sized>(evm: &mut Evm<'v, V>) {
    let counted: [Instruction<EthInterpreter, Machine<'v, V>>; 5] = [
        Instruction::new(logged::<0, V>),
        Instruction::new(logged::<1, V>),
        Instruction::new(logged::<2, V>),
        Instruction::new(logged::<3, V>),
        Instruction::new(logged::<4, V>),
    ];
    for (opcode, instruction) in (LOG0..).zip(counted) {
        let gas = evm.instruction.gas_table()[usize::from(opcode)];
        evm.instruction.insert_instruction(opcode, instruction, gas);
    }
}

fn logged<'v, const TOPICS: usize, V: StateView + ?Sized>(
    context: InstructionContext<'_, Machine<'v, V>, EthInterpreter>,
) -> InstructionExecResult {
    let InstructionContext { interpreter, host } = context;
    let before = host.journaled_state.logs().len();
    host::log::<TOPICS, _>(InstructionContext {
        interpreter,
        host: &mut *host,
    })?;
    host.journaled_state.database.emitted.log(before);
    Ok(())
}
