"""web3.py against one node: a fresh key without funds, no fee options, no middleware for fees or
proof of authority.

usage: run.py HTTP_URL WS_URL
"""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from eth_account import Account
from web3 import AsyncWeb3, Web3
from web3.exceptions import ContractCustomError, ContractLogicError, TransactionNotFound
from web3.middleware import SignAndSendRawMiddlewareBuilder
from web3.providers import WebSocketProvider

CLIENTS = Path(__file__).resolve().parents[2] / "clients"
ANSWER_S = 30


def notebook() -> tuple[list, str]:
    """ABI and creation code of the contract that all clients use."""
    script = (
        "import { compileNotebook } from './notebook.mjs';"
        "console.log(JSON.stringify(compileNotebook()))"
    )
    words = ["node", "--input-type=module", "-e", script]
    made = json.loads(subprocess.run(words, cwd=CLIENTS, check=True, capture_output=True).stdout)
    return made["abi"], made["bytecode"]


def ok(name: str) -> None:
    print(f"ok {name}", flush=True)


def refused(kind: type[Exception], call) -> Exception:
    """What `call` raises, which has to be of this kind."""
    try:
        value = call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} is expected, got {value!r}")


def deploy_and_use(w3: Web3, address: str):
    abi, bytecode = notebook()
    receipt = included(w3, w3.eth.contract(abi=abi, bytecode=bytecode).constructor().transact())
    contract = w3.eth.contract(receipt.contractAddress, abi=abi)
    ok("deploy a contract")
    written = included(w3, contract.functions.put(42).transact())
    assert contract.functions.get().call() == 42
    assert contract.functions.get().call(block_identifier=receipt.blockNumber) == 0
    ok("write and read, past state by height")
    [event] = contract.events.Noted.get_logs(
        from_block=receipt.blockNumber, argument_filters={"writer": address}
    )
    assert (event.args.number, event.transactionHash) == (42, written.transactionHash)
    ok("events by topic")
    return contract


def included(w3: Web3, sent):
    receipt = w3.eth.wait_for_transaction_receipt(sent, timeout=ANSWER_S, poll_latency=0.05)
    assert (receipt.status, receipt.effectiveGasPrice) == (1, 0), receipt
    return receipt


def built_by_hand(w3: Web3, contract) -> None:
    account = Account.create()
    built = contract.functions.put(7).build_transaction(
        {"from": account.address, "nonce": w3.eth.get_transaction_count(account.address)}
    )
    assert (built["maxFeePerGas"], built["maxPriorityFeePerGas"]) == (0, 0), built
    signed = account.sign_transaction(built)
    included(w3, w3.eth.send_raw_transaction(signed.raw_transaction))
    ok("build_transaction: fees of 0 by itself, signed and sent raw")


def reverts(contract) -> None:
    error = refused(ContractCustomError, lambda: contract.functions.put(13).call())
    assert str(13) in str(int(str(error.data)[10:], 16)), error
    error = refused(ContractLogicError, lambda: contract.functions.put(1_000_000).call())
    assert "number above 999999" in str(error), error
    ok("custom errors and reasons are decoded")


def blocks(w3: Web3) -> None:
    for tag in ("latest", "safe", "finalized"):
        block = w3.eth.get_block(tag)
        assert block.baseFeePerGas == 0 and len(block.extraData) <= 32
    refused(TransactionNotFound, lambda: w3.eth.get_transaction("0x" + "11" * 32))
    ok("blocks by tag, without a middleware for proof of authority")


def filters(w3: Web3, contract) -> None:
    logs = contract.events.Noted.create_filter(from_block="latest")
    heads = w3.eth.filter("latest")
    receipt = included(w3, contract.functions.put(99).transact())
    [event] = logs.get_new_entries()
    assert event.args.number == 99
    assert receipt.blockHash in heads.get_new_entries()
    assert w3.eth.uninstall_filter(logs.filter_id)
    ok("filters of logs and blocks, by polling")


async def subscriptions(url: str, w3: Web3, contract) -> None:
    async with AsyncWeb3(WebSocketProvider(url)) as live:
        await live.eth.subscribe("newHeads")
        sent = contract.functions.put(5).transact()
        receipt = await asyncio.to_thread(included, w3, sent)
        async with asyncio.timeout(ANSWER_S):
            async for message in live.socket.process_subscriptions():
                if message["result"]["number"] >= receipt.blockNumber:
                    break
    ok("AsyncWeb3: newHeads over WebSocket")


def main() -> None:
    http_url, ws_url = sys.argv[1:]
    w3 = Web3(Web3.HTTPProvider(http_url))
    account = Account.create()
    w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(account), layer=0)
    w3.eth.default_account = account.address
    assert w3.eth.chain_id == int(w3.net.version)
    assert (w3.eth.gas_price, w3.eth.max_priority_fee) == (0, 0)
    ok("chain id, fees of 0")
    contract = deploy_and_use(w3, account.address)
    built_by_hand(w3, contract)
    reverts(contract)
    blocks(w3)
    asyncio.run(subscriptions(ws_url, w3, contract))
    filters(w3, contract)
    assert w3.eth.get_balance(account.address) == 0
    ok("balance is 0 as before, whatever was sent")


main()
