/** Two languages: English, and Traditional Chinese as in Taiwan. */
import { timesOf } from '@tbsi/verify/time.js'
import type { Language } from '@tbsi/element/words.js'

export type { Language }

/** A sentence in both languages; `{name}` stands for a value. */
export type Pair = readonly [en: string, zhTw: string]

export type Values = Readonly<Record<string, string | number | bigint>>

export function say(language: Language, pair: Pair, values: Values = {}): string {
  const sentence = language === 'en' ? pair[0] : pair[1]
  return sentence.replace(/\{(\w+)\}/g, (whole, key: string) => String(values[key] ?? whole))
}

/** The text of the language; the other one if it is empty. */
export function either(language: Language, en: string, zhTw: string): string {
  return language === 'en' ? en || zhTw : zhTw || en
}

/** A number as people read it; `null` is what is not known, and never zero. */
export function number(language: Language, value: number | bigint | null | undefined, digits = 0): string {
  if (value === null || value === undefined) return say(language, NOT_KNOWN)
  return new Intl.NumberFormat(language === 'en' ? 'en-GB' : 'zh-TW', { maximumFractionDigits: digits }).format(value)
}

export const NOT_KNOWN: Pair = ['not known', '未知']

/** Block time: UTC in English, Taipei in Chinese. */
export function moment(language: Language, ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return say(language, NOT_KNOWN)
  const { utc, taipei } = timesOf(BigInt(Math.trunc(ms)))
  const text = language === 'en' ? utc : taipei
  return text.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC').replace(/(\.\d+)?\+08:00$/, ' 臺北時間')
}

const UNITS: readonly (readonly [ms: number, one: Pair])[] = [
  [86_400_000, ['{n} d', '{n} 天']], [3_600_000, ['{n} h', '{n} 小時']],
  [60_000, ['{n} min', '{n} 分鐘']], [1_000, ['{n} s', '{n} 秒']],
]

/** What follows a name, and what stands between the parts of a list. */
export const COLON: Pair = ['{name}: {value}', '{name}：{value}']
export const COMMA: Pair = [', ', '、']

/** A length of time in its two largest units. */
export function duration(language: Language, ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return say(language, NOT_KNOWN)
  let rest = Math.max(0, ms)
  const parts: string[] = []
  for (const [unit, pair] of UNITS) {
    const n = Math.floor(rest / unit)
    if (n === 0 && !(unit === 1_000 && parts.length === 0)) continue
    rest -= n * unit
    parts.push(say(language, pair, { n }))
    if (parts.length === 2) break
  }
  return parts.join(language === 'en' ? ' ' : '')
}
