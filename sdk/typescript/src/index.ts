/** Attest with TBSI, find and prove what was attested, and verify it. */
export { TbsiClient, type Attested, type ClientOptions, type Selector } from './client/client.js'
export { ATTESTATIONS, type Call } from './client/calls.js'
export {
  digestDocument, newSalt, type Document, type Subject,
} from './client/document.js'
export { TbsiError, type ErrorKind } from './client/errors.js'
export type { MethodName, Methods } from './client/methods.js'
export { Rpc, type RpcOptions } from './client/rpc.js'
export { keySender, walletSender, type Eip1193Provider, type Sender } from './client/sender.js'
export { subscribe, type LeafFilter, type SocketMaker } from './client/subscribe.js'
export { REASONS, type Entry, type Standing } from './verify/standing.js'
export * from './verify/index.js'
