import { useEffect, useEffectEvent } from 'react'

/** Something that lies over the page: a dialog, a menu, a drawer. */
interface Layer {
  /** Closes it, or asks first. Whether it closes. */
  leave: () => boolean
}

/** The one on top is the last. */
const layers: Layer[] = []
const watchers = new Set<() => void>()

const tell = () => watchers.forEach((watcher) => watcher())

/** As long as it is open it is a layer, above those that were opened before. */
export function useLayer(open: boolean, leave: () => boolean): void {
  const latest = useEffectEvent(leave)
  useEffect(() => {
    if (!open) return
    const layer = { leave: () => latest() }
    layers.push(layer)
    tell()
    return () => {
      layers.splice(layers.indexOf(layer), 1)
      tell()
    }
  }, [open])
}

export const layerCount = () => layers.length

export function watchLayers(watcher: () => void): () => void {
  watchers.add(watcher)
  return () => watchers.delete(watcher)
}

/** Closes what lies on top, or lets it ask. Whether nothing lies over the page then. */
export function leaveTop(): boolean {
  const isLast = layers.length === 1
  return layers.at(-1)?.leave() !== false && isLast
}
