//! alloy against one node: a fresh key without funds, no fee options, every answer checked.
//!
//! usage: tbsi-alloy-client HTTP_URL WS_URL CREATION_CODE

use std::time::Duration;

use alloy::eips::BlockNumberOrTag;
use alloy::eips::eip7702::Authorization;
use alloy::network::{EthereumWallet, TransactionBuilder, TransactionBuilder7702};
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::types::TransactionRequest;
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol;
use anyhow::{Context, Result, ensure};
use futures::StreamExt;

/// How long a network may take for one of the checks.
const PATIENCE: Duration = Duration::from_secs(30);

sol! {
    #[sol(rpc)]
    contract Notebook {
        event Noted(address indexed writer, uint256 number);
        error Refused(uint256 code);
        function put(uint256 number) external;
        function get() external view returns (uint256);
    }
}

struct Client {
    provider: DynProvider,
    signer: PrivateKeySigner,
}

impl Client {
    async fn new(url: &str) -> Result<Self> {
        let signer = PrivateKeySigner::random();
        let wallet = EthereumWallet::from(signer.clone());
        let provider = ProviderBuilder::new().wallet(wallet).connect(url).await?;
        provider
            .client()
            .set_poll_interval(Duration::from_millis(100));
        let provider = provider.erased();
        Ok(Self { provider, signer })
    }

    async fn deploy(&self, code: &Bytes) -> Result<Address> {
        let deploy = TransactionRequest::default().with_deploy_code(code.clone());
        let sent = self.provider.send_transaction(deploy).await?;
        let receipt = sent.get_receipt().await?;
        ensure!(
            receipt.status() && receipt.effective_gas_price == 0,
            "{receipt:?}"
        );
        receipt
            .contract_address
            .context("the receipt names a contract")
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [http, ws, code] = arguments.as_slice() else {
        anyhow::bail!("usage: tbsi-alloy-client HTTP_URL WS_URL CREATION_CODE");
    };
    let code: Bytes = code.parse()?;
    let client = Client::new(http).await?;
    let address = client.deploy(&code).await.context("deploy")?;
    println!("ok deploy with a fresh key, no fee options");
    contract(&client, address).await.context("contract")?;
    println!("ok write, read, events, a custom error decoded");
    reads(&client, address).await.context("reads")?;
    println!("ok fees of 0, proofs, tags, a batch, simulation");
    delegation(&client, address).await.context("EIP-7702")?;
    println!("ok delegation (EIP-7702)");
    burst(&client, address).await.context("burst")?;
    println!("ok 50 transactions at once");
    let client = Client::new(ws).await?;
    live(&client, address).await.context("WebSocket")?;
    println!("ok blocks and events over WebSocket");
    Ok(())
}

async fn contract(client: &Client, address: Address) -> Result<()> {
    let notebook = Notebook::new(address, &client.provider);
    let put = notebook.put(U256::from(42));
    let gas = put.estimate_gas().await?;
    // The estimate has to do when it is used exactly.
    let receipt = put.gas(gas).send().await?.get_receipt().await?;
    ensure!(receipt.status() && receipt.gas_used <= gas, "{receipt:?}");
    ensure!(notebook.get().call().await? == U256::from(42));
    let events = notebook.Noted_filter().from_block(0).query().await?;
    let [(event, log)] = events.as_slice() else {
        anyhow::bail!("{events:?}");
    };
    ensure!(event.writer == client.signer.address() && event.number == U256::from(42));
    ensure!(log.transaction_hash == Some(receipt.transaction_hash));
    let refused = notebook.put(U256::from(13)).call().await;
    let error = refused.err().context("13 may not be kept")?;
    let decoded = error.as_decoded_error::<Notebook::Refused>();
    ensure!(
        decoded.is_some_and(|it| it.code == U256::from(13)),
        "{error}"
    );
    Ok(())
}

async fn reads(client: &Client, address: Address) -> Result<()> {
    let provider = &client.provider;
    ensure!(provider.get_gas_price().await? == 0);
    let tip = provider.get_block_number().await?;
    for tag in [BlockNumberOrTag::Safe, BlockNumberOrTag::Finalized] {
        let block = provider.get_block_by_number(tag).await?;
        ensure!(block.is_some_and(|block| block.header.number >= tip));
    }
    let proof = provider.get_proof(address, vec![B256::ZERO]).await?;
    ensure!(proof.storage_proof[0].value == U256::from(42), "{proof:?}");
    let block = provider
        .get_block(tip.into())
        .full()
        .await?
        .context("a block")?;
    ensure!(
        block.header.hash == block.header.hash_slow(),
        "the hash is of the header"
    );
    let mut batch = provider.client().new_batch();
    let answers: Vec<_> = (0..100)
        .map(|_| batch.add_call::<_, U256>("eth_chainId", &()))
        .collect::<Result<_, _>>()?;
    batch.send().await?;
    let chain_id = U256::from(provider.get_chain_id().await?);
    for answer in answers {
        ensure!(answer.await? == chain_id);
    }
    let nobody = provider
        .get_transaction_receipt(B256::repeat_byte(9))
        .await?;
    ensure!(nobody.is_none());
    Ok(())
}

async fn delegation(client: &Client, address: Address) -> Result<()> {
    let provider = &client.provider;
    let authority = PrivateKeySigner::random();
    let authorization = Authorization {
        chain_id: U256::from(provider.get_chain_id().await?),
        address,
        nonce: 0,
    };
    let signature = authority.sign_hash_sync(&authorization.signature_hash())?;
    let request = TransactionRequest::default()
        .with_to(authority.address())
        .with_authorization_list(vec![authorization.into_signed(signature)]);
    let receipt = provider
        .send_transaction(request)
        .await?
        .get_receipt()
        .await?;
    let code = provider.get_code_at(authority.address()).await?;
    ensure!(
        code[..3] == [0xef, 0x01, 0x00] && code[3..] == address[..],
        "{receipt:?}: {code}"
    );
    Ok(())
}

async fn burst(client: &Client, address: Address) -> Result<()> {
    let notebook = Notebook::new(address, &client.provider);
    let mut sent = Vec::new();
    for number in 100..150 {
        sent.push(notebook.put(U256::from(number)).send().await?);
    }
    for pending in sent {
        let receipt = pending.get_receipt().await?;
        ensure!(receipt.status(), "{receipt:?}");
    }
    ensure!(notebook.get().call().await? == U256::from(149));
    Ok(())
}

async fn live(client: &Client, address: Address) -> Result<()> {
    let notebook = Notebook::new(address, &client.provider);
    let mut events = notebook.Noted_filter().subscribe().await?.into_stream();
    let mut blocks = client.provider.subscribe_blocks().await?.into_stream();
    let sent = notebook.put(U256::from(7)).send().await?;
    let event = tokio::time::timeout(PATIENCE, events.next()).await?;
    let (event, _) = event.context("the subscription goes on")??;
    ensure!(event.number == U256::from(7));
    let block = tokio::time::timeout(PATIENCE, blocks.next()).await?;
    ensure!(block.is_some());
    ensure!(sent.get_receipt().await?.status());
    Ok(())
}
