//! Logs of value that calls, creations and SELFDESTRUCT pass on (ERC-7528), for simulations that
//! ask for them. No transaction makes such logs.

use alloy_primitives::{Address, B256, Log, LogData, U256, address, b256};
use revm::bytecode::opcode::SELFDESTRUCT;
use revm::context::Journal;
use revm::context_interface::JournalTr;
use revm::interpreter::instructions::host::selfdestruct;
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::interpreter_action::FrameInput;
use revm::interpreter::{
    Instruction, InstructionContext, InstructionExecResult, InstructionResult,
};
use tbsi_types::StateView;

use crate::environment::{Evm, Machine};
use crate::overlay::{Overlay, ReadError};

/// In whose name transfers of value are logged.
pub(crate) const VALUE_LOGGER: Address = address!("eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");

/// Keccak-256 of `Transfer(address,address,uint256)`.
const TRANSFER_TOPIC: B256 =
    b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");

/// The log of value that a frame takes along; `None` if it takes none.
pub(crate) fn of_frame<V: StateView + ?Sized, I>(
    evm: &mut Evm<'_, V, I>,
    input: &FrameInput,
) -> Result<Option<Log>, ReadError> {
    let (from, to, value) = match input {
        FrameInput::Call(call) => match call.transfer_value() {
            Some(value) => (call.transfer_from(), call.transfer_to(), value),
            None => return Ok(None),
        },
        FrameInput::Create(create) => {
            let creator = evm.ctx.journaled_state.load_account(create.caller())?;
            let to = create.created_address(creator.data.info.nonce);
            (create.caller(), to, create.value())
        }
        FrameInput::Empty => return Ok(None),
    };
    Ok((value != U256::ZERO).then(|| log(from, to, value)))
}

/// Lets SELFDESTRUCT log the balance that it passes on.
pub(crate) fn watch_selfdestruct<V: StateView + ?Sized>(evm: &mut Evm<'_, V>) {
    let gas = evm.instruction.gas_table()[usize::from(SELFDESTRUCT)];
    let instruction = Instruction::new(logged_selfdestruct::<V>);
    let instructions = &mut evm.instruction;
    instructions.insert_instruction(SELFDESTRUCT, instruction, gas);
}

fn logged_selfdestruct<'v, V: StateView + ?Sized>(
    context: InstructionContext<'_, Machine<'v, V>, EthInterpreter>,
) -> InstructionExecResult {
    let InstructionContext { interpreter, host } = context;
    let from = interpreter.input.target_address;
    let to = interpreter.stack.peek(0);
    let account = host.journaled_state.evm_state().get(&from);
    let balance = account.map(|account| account.info.balance);
    let ended = selfdestruct(InstructionContext {
        interpreter,
        host: &mut *host,
    });
    if let (Ok(to), Some(balance)) = (to, balance)
        && ended == Err(InstructionResult::SelfDestruct)
        && balance != U256::ZERO
    {
        let to = Address::from_word(to.into());
        emit(&mut host.journaled_state, log(from, to, balance));
    }
    ended
}

/// Logs what moved, and counts it among the logs of its block.
pub(crate) fn emit<V: StateView + ?Sized>(journal: &mut Journal<Overlay<'_, V>>, log: Log) {
    let before = journal.logs().len();
    journal.log(log);
    journal.database.emitted.log(before);
}

fn log(from: Address, to: Address, value: U256) -> Log {
    let topics = vec![TRANSFER_TOPIC, from.into_word(), to.into_word()];
    let data = LogData::new_unchecked(topics, B256::from(value).into());
    Log {
        address: VALUE_LOGGER,
        data,
    }
}
