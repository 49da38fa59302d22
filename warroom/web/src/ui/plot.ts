/** uPlot, in the page's colours. */
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

export function plot(
  element: HTMLElement, data: [number[], number[]], height: number, label: string, language: string,
): { destroy: () => void } {
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } }
  const format = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : 'zh-TW', {
    timeZone: language === 'en' ? 'UTC' : 'Asia/Taipei', hour12: false,
    month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit',
  })
  // Half an interval beside the outermost ones; of one alone nobody knows how long it is.
  const [first = 0, second = first + 3600] = data[0]
  const beside = (second - first) / 2
  const drawn = new uPlot({
    width: Math.max(240, element.clientWidth), height, legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    scales: {
      x: { range: (_, min, max) => [min - beside, max + beside] },
      y: { range: (_, __, max) => [0, Math.max(1, max)] },
    },
    axes: [
      { ...axis, space: 110, values: (_, at) => at.map((s) => format.format(s * 1000)) },
      { ...axis, size: 60, values: (_, at) => at.map((it) => (Number.isInteger(it) ? it.toLocaleString('en-GB') : '')) },
    ],
    series: [{}, {
      label, stroke: colour('--accent'), fill: colour('--accent-soft'), width: 1.5,
      ...(uPlot.paths.bars === undefined ? {} : { paths: uPlot.paths.bars({ size: [0.8, 60] }) }),
      points: { show: false },
    }],
  }, data, element)
  const resized = new ResizeObserver(() => {
    drawn.setSize({ width: Math.max(240, element.clientWidth), height })
  })
  resized.observe(element)
  return { destroy: () => { resized.disconnect(); drawn.destroy() } }
}
