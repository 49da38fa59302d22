/** The one place where an address becomes a script: this page's own workers. */

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): {
    createScriptURL(url: string): unknown
  }
}

const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes
const policy = types?.createPolicy('tbsi-worker', {
  createScriptURL: (url) => {
    if (new URL(url, location.href).origin !== location.origin) throw new Error('only scripts of this page run')
    return url
  },
})

/** An address of this page's own, as a browser that asks for it wants it. */
export function scriptUrl(url: string): string {
  return policy === undefined ? url : policy.createScriptURL(url) as string
}
