/** `<tbsi-proof>` of the developer kit, as a component. */
import { useEffect, useRef } from 'preact/hooks'
import '@tbsi/element/index.js'
import type { Report } from '@tbsi/verify/index.js'
import { useRoom } from './context.js'

interface ProofElement extends HTMLElement { report: Report | undefined }

export function ProofReport({ report }: { report: Report }) {
  const { state } = useRoom()
  const element = useRef<ProofElement>(null)
  useEffect(() => {
    if (element.current === null) return
    element.current.setAttribute('lang', state.language)
    element.current.report = report
  }, [report, state.language])
  return <tbsi-proof ref={element} />
}

declare module 'preact' {
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace JSX {
    interface IntrinsicElements {
      'tbsi-proof': import('preact').HTMLAttributes<ProofElement>
    }
  }
}
