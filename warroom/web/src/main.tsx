/** Starts the page. */
import { render } from 'preact'
import './style.css'
import { Api } from './api.js'
import { App } from './app.js'
import { REFRESH_MS } from './limits.js'
import { scriptUrl } from './policy.js'
import { Room, stored } from './room.js'
import { RoomContext } from './ui/context.js'

/** Where the war room is: what the visitor set, what the host of this page says, or this server. */
async function base(): Promise<string> {
  const chosen = stored('tbsi.room')
  if (chosen !== null && URL.canParse(chosen)) return chosen
  try {
    const response = await fetch('warroom.json', { cache: 'no-cache' })
    const told = response.ok ? await response.json() as { api?: unknown } : {}
    if (typeof told.api === 'string') return new URL(told.api.replace(/\/?$/, '/'), document.baseURI).href
  } catch {
    // Then it is this server's.
  }
  return new URL('api/v1/', document.baseURI).href
}

/** Keeps the page for when there is no connection. */
function keepOffline(): void {
  if (!('serviceWorker' in navigator) || !import.meta.env.PROD) return
  const url = scriptUrl(new URL('sw.js', document.baseURI).href)
  // Without it the page works, and needs a connection.
  navigator.serviceWorker.register(url).catch(() => undefined)
}

const room = new Room(new Api(await base()))
const root = document.getElementById('app')
if (root !== null) {
  render(<RoomContext.Provider value={room}><App /></RoomContext.Provider>, root)
}
keepOffline()
await room.start()
setInterval(() => {
  if (document.visibilityState === 'visible') void room.refresh()
}, REFRESH_MS)
