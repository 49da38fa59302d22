/** `<tbsi-proof>` of the developer kit, as a component. */
import { useEffect, useRef } from 'preact/hooks'
import { TbsiProofElement } from '@tbsi/element/index.js'
import type { Report } from '@tbsi/verify/index.js'
import { useRoom } from './context.js'

export function ProofReport({ report }: { report: Report }) {
  const { state } = useRoom()
  const element = useRef<TbsiProofElement>(null)
  useEffect(() => {
    if (!(element.current instanceof TbsiProofElement)) return
    element.current.setAttribute('lang', state.language)
    element.current.toggleAttribute('steps', true)
    element.current.report = report
  }, [report, state.language])
  return <tbsi-proof ref={element} />
}

declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements {
      'tbsi-proof': import('preact').HTMLAttributes<TbsiProofElement>
    }
  }
}
