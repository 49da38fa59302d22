/** The frame: name, language, navigation, what is trusted, what is wrong, and the page. */
import type { ComponentType } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { AttestationPage } from './pages/attestation.js'
import { ChainsPage } from './pages/chains.js'
import { ConsentsPage } from './pages/consents.js'
import { FollowPage } from './pages/follow.js'
import { LeavesPage } from './pages/leaves.js'
import { MotionsPage } from './pages/motions.js'
import { NowPage } from './pages/now.js'
import { OrganisationsPage } from './pages/organisations.js'
import { ProvenancePage } from './pages/provenance.js'
import { SearchPage } from './pages/search.js'
import { TrustPage } from './pages/trust.js'
import { VerifyPage } from './pages/verify.js'
import { PAGES, to, useRoute, type PageName, type Route } from './route.js'
import { TrustBar } from './ui/bar.js'
import { useRoom } from './ui/context.js'
import { Findings } from './ui/findings.js'
import type { Pair } from './words/say.js'

const W = {
  title: ['TBSI War room', 'TBSI 戰情室'],
  tagline: ['What is on the chain, proven in your browser', '鏈上資料，由您的瀏覽器親自證明'],
  skip: ['Skip to the content', '跳至主要內容'],
  pages: ['Pages', '頁面'],
  language: ['Language', '語言'],
  missing: ['There is no such page.', '沒有這個頁面。'],
  legend: ['What the marks mean', '標記說明'],
  proven: ['checked by your browser', '已由您的瀏覽器查核'],
  said: ['said by the war room, not checked', '戰情室所述，未經查核'],
  wrong: ['contradicts the proof', '與證明矛盾'],
  footer: [
    'This page believes neither the war room nor its own server: what has a ✓ was checked here, under the genesis file that you chose. A proof shows who stated what and when, and not that it is true.',
    '本頁不採信戰情室，也不採信自己的伺服器：標示 ✓ 者，皆已依您選定的創世檔在此查核。證明顯示何人於何時陳述何事，不代表內容屬實。',
  ],
} as const satisfies Record<string, Pair>

export const TITLES: Readonly<Record<PageName, Pair>> = {
  now: ['Now', '現況'],
  search: ['Search', '搜尋'],
  verify: ['Verify', '驗證'],
  organisations: ['Organisations', '機構'],
  motions: ['Motions', '動議'],
  chains: ['Chains', '他鏈'],
  consents: ['Consents', '資料授權'],
  provenance: ['Provenance', '資料沿革'],
  follow: ['Follow', '訂閱'],
  trust: ['Trust', '信任'],
  attestation: ['One record', '單筆紀錄'],
  leaves: ['Records', '紀錄'],
}

const VIEWS: Readonly<Record<PageName, ComponentType<{ route: Route }>>> = {
  now: NowPage, search: SearchPage, verify: VerifyPage, organisations: OrganisationsPage,
  motions: MotionsPage, chains: ChainsPage, consents: ConsentsPage, provenance: ProvenancePage,
  follow: FollowPage, trust: TrustPage, attestation: AttestationPage, leaves: LeavesPage,
}

export function App() {
  const { state, t } = useRoom()
  const route = useRoute()
  const main = useRef<HTMLElement>(null)
  const first = useRef(true)
  const title = route.page === null ? W.missing : TITLES[route.page]
  useEffect(() => {
    document.documentElement.lang = state.language
    document.title = `${t(title)} · ${t(W.title)}`
  })
  const where = `${route.page ?? ''}/${route.id ?? ''}`
  useEffect(() => {
    // A reader hears of the new page; not of the first one, which the browser tells itself.
    if (!first.current) main.current?.focus()
    first.current = false
  }, [where])
  const View = route.page === null ? null : VIEWS[route.page]
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus() }}>{t(W.skip)}</a>
      <Head current={route.page} />
      <main id="main" tabIndex={-1} ref={main}>
        <TrustBar />
        <Findings />
        <h1>{t(title)}</h1>
        {View === null ? null : <View route={route} key={where} />}
      </main>
      <footer>
        <ul class="legend" aria-label={t(W.legend)}>
          <li><span class="mark proven" aria-hidden="true">✓</span> {t(W.proven)}</li>
          <li><span class="mark said" aria-hidden="true">○</span> {t(W.said)}</li>
          <li><span class="mark wrong" aria-hidden="true">✗</span> {t(W.wrong)}</li>
        </ul>
        <p>{t(W.footer)}</p>
      </footer>
    </>
  )
}

function Head({ current }: { current: PageName | null }) {
  const { room, state, t } = useRoom()
  return (
    <header>
      <div class="brand">
        <p class="name"><a href={to('now')}>{t(W.title)}</a></p>
        <p class="tagline">{t(W.tagline)}</p>
      </div>
      <div class="languages" role="group" aria-label={t(W.language)}>
        {([['en', 'English'], ['zh-TW', '正體中文']] as const).map(([language, name]) => (
          <button type="button" lang={language} key={language} aria-pressed={state.language === language}
            onClick={() => room.speak(language)}>{name}</button>
        ))}
      </div>
      <nav aria-label={t(W.pages)}>
        <ul>
          {PAGES.map((page) => (
            <li key={page}>
              <a href={to(page)} aria-current={current === page ? 'page' : undefined}>{t(TITLES[page])}</a>
            </li>
          ))}
        </ul>
      </nav>
    </header>
  )
}
