// A verifier of contracts in the place of Etherscan's or Blockscout's: it compiles what it is sent
// and compares the result with the code that a node has.
import { createServer } from 'node:http'
import solc from 'solc'

/** `codeAt` is asked for the code at an address. */
export async function verifier(codeAt) {
  const verdicts = new Map()

  async function judge(of) {
    const [file, name] = of('contractname').split(':')
    const input = JSON.parse(of('sourceCode'))
    input.settings.outputSelection = { [file]: { [name]: ['evm.deployedBytecode.object'] } }
    const { contracts } = JSON.parse(solc.compile(JSON.stringify(input)))
    const compiled = `0x${contracts?.[file]?.[name]?.evm.deployedBytecode.object}`
    return compiled === await codeAt(of('contractaddress'))
  }

  async function answer(of) {
    switch (of('action')) {
      case 'verifysourcecode': {
        const id = String(verdicts.size + 1)
        verdicts.set(id, await judge(of))
        return { status: '1', message: 'OK', result: id }
      }
      case 'checkverifystatus':
        return verdicts.get(of('guid'))
          ? { status: '1', message: 'OK', result: 'Pass - Verified' }
          : { status: '0', message: 'NOTOK', result: 'Fail - Unable to verify' }
      default:
        return { status: '0', message: 'NOTOK', result: 'Contract source code not verified' }
    }
  }

  const server = createServer(async (request, response) => {
    const parts = []
    for await (const part of request) parts.push(part)
    const form = new URLSearchParams(Buffer.concat(parts).toString())
    const { searchParams } = new URL(request.url, 'http://localhost')
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(await answer((name) => form.get(name) ?? searchParams.get(name))))
  })
  await new Promise((listening) => { server.listen(0, '127.0.0.1', listening) })
  return {
    url: `http://127.0.0.1:${server.address().port}/api`,
    verdicts: () => [...verdicts.values()],
    close() { server.close() },
  }
}
