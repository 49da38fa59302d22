// Which clients `make test-clients` runs, in what order, and with what.

/**
 * Each has a folder here, with npm packages of its own if `npm` is set, and is run with the URLs
 * of a node, unless it makes a network of its own. `minutes` is how long it may take at most;
 * `of` or `python` names the package whose version is told.
 */
export const CLIENTS = [
  { name: 'viem', dir: '../clients', run: ['node', 'viem.mjs'], minutes: 5, of: 'viem' },
  { name: 'viem, watching', dir: '../clients', run: ['node', 'watch.mjs'], minutes: 5, of: 'viem' },
  { name: 'ethers', dir: '../clients', run: ['node', 'ethers.mjs'], minutes: 5, of: 'ethers' },
  { name: 'cast', dir: '../clients', run: ['node', 'cast.mjs'], minutes: 5,
    of: '@foundry-rs/cast-linux-amd64' },
  { name: 'forge', dir: '../clients', run: ['node', 'forge.mjs'], minutes: 5,
    of: '@foundry-rs/forge-linux-amd64' },
  { name: 'predeploys', dir: '../clients', run: ['node', 'predeploys.mjs'], minutes: 5, of: 'viem' },
  { name: 'Hardhat 2', dir: 'hardhat2', run: ['node', 'run.mjs'], minutes: 10, of: 'hardhat' },
  { name: 'Hardhat 3', dir: 'hardhat3', run: ['node', 'run.mjs'], minutes: 10, of: 'hardhat',
    newerNode: true },
  { name: 'OpenZeppelin', dir: 'openzeppelin', run: ['node', 'run.mjs'], minutes: 10,
    of: '@openzeppelin/hardhat-upgrades' },
  { name: 'EAS', dir: 'eas', run: ['node', 'run.mjs'], minutes: 5,
    of: '@ethereum-attestation-service/eas-sdk' },
  { name: 'Safe', dir: 'safe', run: ['node', 'run.mjs'], minutes: 5,
    of: '@safe-global/protocol-kit' },
  { name: 'MetaMask, SIWE', dir: 'wallet', run: ['node', 'run.mjs'], minutes: 5,
    of: '@metamask/gas-fee-controller' },
  { name: 'web3.js 1', dir: 'web3js', run: ['node', 'run.mjs'], minutes: 5, of: 'web3' },
  { name: 'Caliper', dir: 'caliper', run: ['node', 'run.mjs'], minutes: 10,
    of: '@hyperledger/caliper-ethereum' },
  { name: 'Cactus', dir: 'cactus', run: ['node', 'run.mjs'], minutes: 10,
    of: '@hyperledger/cactus-plugin-ledger-connector-besu' },
  { name: 'web3.py', dir: 'python', run: ['PYTHON', 'run.py'], minutes: 5, python: 'web3' },
  { name: 'quick starts', dir: '../clients', own: true, minutes: 40, of: undefined,
    run: ['node', 'quickstart.mjs', 'TBSI', 'foundry', 'viem', 'ethers', 'web3py', 'hardhat',
      'remix'] },
]
