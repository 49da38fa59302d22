/** A file that the page made or fetched, for the visitor to keep. */
import { useRoom } from './context.js'
import { useState } from 'preact/hooks'
import { messageOf } from '../room.js'
import { ApiError } from '../api.js'

export function save(name: string, content: Uint8Array | string, type = 'application/octet-stream'): void {
  const part = typeof content === 'string' ? content : content.slice()
  const url = URL.createObjectURL(new Blob([part], { type }))
  const link = Object.assign(document.createElement('a'), { href: url, download: name })
  link.click()
  // The click has begun the download; the address is not needed for longer than this turn.
  setTimeout(() => URL.revokeObjectURL(url), 0)
}

/** A button that fetches and saves; says why if that fails. */
export function Download({ label, name, fetch }: {
  label: string
  name: string
  fetch: () => Promise<Uint8Array | string>
}) {
  const { state } = useRoom()
  const [problem, set] = useState<string | null>(null)
  const get = () => {
    set(null)
    fetch().then((content) => save(name, content), (thrown: unknown) => {
      set(thrown instanceof ApiError ? thrown.said[state.language === 'en' ? 0 : 1] : messageOf(thrown))
    })
  }
  return (
    <span class="download">
      <button type="button" onClick={get}>{label}</button>
      {problem === null ? null : <small role="alert">{problem}</small>}
    </span>
  )
}
