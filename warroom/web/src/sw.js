// Keeps the page, and nothing of a war room's answers, so that Verify works without a connection.
// The build puts in which files there are, and a name that changes with them.
const FILES = __FILES__
const CACHE = 'tbsi-page-__VERSION__'

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()))
})

self.addEventListener('activate', (event) => {
  event.waitUntil((async () => {
    const names = await caches.keys()
    // What visitors pinned is in a cache of another name, and stays.
    const old = names.filter((name) => name.startsWith('tbsi-page-') && name !== CACHE)
    await Promise.all(old.map((name) => caches.delete(name)))
    await self.clients.claim()
  })())
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  const at = url.pathname.slice(new URL(self.registration.scope).pathname.length)
  if (request.method !== 'GET' || url.origin !== self.location.origin) return
  const file = request.mode === 'navigate' && (at === '' || at === 'index.html') ? './' : `./${at}`
  if (!FILES.includes(file)) return
  event.respondWith((async () => {
    const cache = await caches.open(CACHE)
    return await cache.match(file) ?? fetch(request)
  })())
})
