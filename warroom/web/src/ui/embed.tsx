/** How a website shows this proof beside its document: the same element that this page uses. */
import type { Pair } from '../words/say.js'
import { useRoom } from './context.js'

const W = {
  title: ['Show this proof on your website', '在您的網站顯示此證明'],
  how: [
    'Put four files beside the document: the proof bundle, the genesis file, the document and tbsi-proof.js, which this page offers. The reader\'s browser verifies; nobody is asked.',
    '將四個檔案放在文件旁：證明檔、創世檔、文件，以及本頁提供的 tbsi-proof.js。由讀者的瀏覽器驗證，不需詢問任何人。',
  ],
  script: ['Download tbsi-proof.js', '下載 tbsi-proof.js'],
} as const satisfies Record<string, Pair>

export function Embed({ position }: { position: number }) {
  const { t, state } = useRoom()
  const room = new URL('.', document.baseURI).href
  const code = `<script type="module" src="tbsi-proof.js"></script>
<tbsi-proof src="record-${position}.tbsi.json" genesis="genesis.json"
  file="document.pdf" room="${room}" lang="${state.language}"></tbsi-proof>`
  return (
    <details class="embed">
      <summary>{t(W.title)}</summary>
      <p>{t(W.how)}</p>
      <pre tabIndex={0}><code>{code}</code></pre>
      <p><a href="./tbsi-proof.js" download>{t(W.script)}</a></p>
    </details>
  )
}
