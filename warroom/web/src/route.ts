/** Which page is shown: the part of the address after `#`, which no server sees. */
import { useEffect, useState } from 'preact/hooks'

export const PAGES = [
  'now', 'search', 'verify', 'organisations', 'motions', 'chains', 'consents', 'provenance', 'follow', 'trust',
] as const
export type PageName = (typeof PAGES)[number] | 'attestation' | 'leaves'

export interface Route {
  readonly page: PageName | null
  /** What follows the page: a position, a number. */
  readonly id: string | null
  readonly query: URLSearchParams
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const [name = '', ...rest] = path.split('/')
  const known: readonly string[] = [...PAGES, 'attestation', 'leaves']
  const page = name === '' ? 'now' : known.includes(name) ? name as PageName : null
  return { page, id: rest.length === 0 ? null : decode(rest.join('/')), query: new URLSearchParams(query) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The address of a page. */
export function to(page: PageName, id?: string | number | null, query: Readonly<Record<string, string>> = {}): string {
  const at = id === undefined || id === null ? '' : `/${encodeURIComponent(String(id))}`
  const asked = new URLSearchParams(query).toString()
  return `#/${page}${at}${asked === '' ? '' : `?${asked}`}`
}

/** Where a link of the API leads to in this page; null for what has no page. */
export function ofLink(link: string): string | null {
  const [path = '', query = ''] = link.split('?')
  const [, what, id] = path.split('/')
  if (what === 'attestations') {
    return id === undefined ? `#/leaves?${new URLSearchParams(query).toString()}` : to('attestation', id)
  }
  if (what === 'organisations' || what === 'motions' || what === 'consents') return to(what, id)
  if (what === 'chains') return to('chains')
  if (what === 'provenance') return to('provenance', null, Object.fromEntries(new URLSearchParams(query)))
  return null
}

export function useRoute(): Route {
  const [route, set] = useState(() => parseRoute(location.hash))
  useEffect(() => {
    const changed = () => { set(parseRoute(location.hash)) }
    addEventListener('hashchange', changed)
    return () => { removeEventListener('hashchange', changed) }
  }, [])
  return route
}
