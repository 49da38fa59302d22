/** Where files are dropped or chosen. They stay in the page. */
import { useId, useState } from 'preact/hooks'
import type { Pair } from '../words/say.js'
import { useRoom } from './context.js'

const W = {
  choose: ['Choose a file', '選擇檔案'],
  chooseMany: ['Choose files', '選擇檔案'],
} as const satisfies Record<string, Pair>

export function Drop({ label, many = false, use }: {
  label: string
  many?: boolean
  use: (files: readonly File[]) => void
}) {
  const { t } = useRoom()
  const [over, set] = useState(false)
  const id = useId()
  return (
    <div class={over ? 'drop over' : 'drop'}
      onDragOver={(event) => { event.preventDefault(); set(true) }}
      onDragLeave={() => set(false)}
      onDrop={(event) => {
        event.preventDefault()
        set(false)
        use([...(event.dataTransfer?.files ?? [])])
      }}>
      <p id={id}>{label}</p>
      <label class="button">
        {t(many ? W.chooseMany : W.choose)}
        <input type="file" class="hidden-input" multiple={many} aria-describedby={id}
          onChange={(event) => {
            const input = event.currentTarget
            const files = [...(input.files ?? [])]
            // So that the same file, changed since, can be chosen again.
            input.value = ''
            use(files)
          }} />
      </label>
    </div>
  )
}
