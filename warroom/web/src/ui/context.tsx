/** What all components share: the room, and words in the visitor's language. */
import { createContext } from 'preact'
import { useContext, useEffect, useReducer, useState } from 'preact/hooks'
import { ApiError } from '../api.js'
import { asProblem, type Room, type State } from '../room.js'
import { duration, either, moment, number, say, type Pair, type Values } from '../words/say.js'

export const RoomContext = createContext<Room | null>(null)

export interface Shared {
  readonly room: Room
  readonly state: State
  readonly t: (pair: Pair, values?: Values) => string
  readonly n: (value: number | bigint | null | undefined, digits?: number) => string
  readonly time: (ms: number | null | undefined) => string
  readonly span: (ms: number | null | undefined) => string
  /** The text of the visitor's language, or the other one. */
  readonly of: (both: { readonly en: string; readonly zhTw: string }) => string
}

export function useRoom(): Shared {
  const room = useContext(RoomContext)
  const [, again] = useReducer((turn: number) => turn + 1, 0)
  useEffect(() => room?.subscribe(() => again(undefined)), [room])
  if (room === null) throw new Error('no room is given')
  const { state } = room
  const { language } = state
  return {
    room, state,
    t: (pair, values) => say(language, pair, values),
    n: (value, digits) => number(language, value, digits),
    time: (ms) => moment(language, ms),
    span: (ms) => duration(language, ms),
    of: ({ en, zhTw }) => either(language, en, zhTw),
  }
}

export interface Loaded<T> {
  readonly value: T | null
  readonly problem: ApiError | null
  readonly again: () => void
}

/** Asks the war room for a path, and again when it changes or every so many milliseconds. */
export function useAsked<T>(path: string | null, everyMs?: number): Loaded<T> {
  const { room } = useRoom()
  const [{ of, value, problem }, set] = useState<{ of: string | null; value: T | null; problem: ApiError | null }>(
    { of: null, value: null, problem: null })
  const [turn, again] = useReducer((it: number) => it + 1, 0)
  useEffect(() => {
    if (path === null) return undefined
    const leaving = new AbortController()
    room.api.get<T>(path, leaving.signal).then(
      (got) => set({ of: path, value: got, problem: null }),
      (thrown: unknown) => {
        if (!leaving.signal.aborted) set((last) => ({ of: path, value: last.of === path ? last.value : null, problem: asProblem(thrown) }))
      })
    return () => { leaving.abort() }
  }, [path, turn, room])
  useEffect(() => {
    if (everyMs === undefined) return undefined
    const timer = setInterval(() => again(undefined), everyMs)
    return () => { clearInterval(timer) }
  }, [everyMs])
  const mine = of === path
  return { value: mine ? value : null, problem: mine ? problem : null, again: () => again(undefined) }
}
