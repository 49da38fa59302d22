// Serves the built page with the small network of the tests, to look at.
//
// usage: node test/mock/serve.mjs
import { serve } from './server.mjs'
import { world } from './world.mjs'

const room = await serve(world())
console.log(`${room.url}#/now`)
