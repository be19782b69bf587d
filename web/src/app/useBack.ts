import { useRouter } from '@tanstack/react-router'
import { useEffect, useSyncExternalStore } from 'react'
import { layerCount, leaveTop, watchLayers } from '../ui/layers'
import { isTyped } from '../ui/unsaved'

declare module '@tanstack/react-router' {
  interface HistoryState {
    /** The same place again, for what lies over it: so that there is something to go back to. */
    over?: true
  }
}

const isCovered = () => layerCount() > 0

/**
 * Going back closes what lies on top of the page, as Escape does, and leaves the page only where nothing lies over it.
 * The history stays as it is; but where there is no earlier page of the app, nothing could keep the browser from leaving: there it has
 * one entry more as long as something is open.
 */
export function useBack(): void {
  const { history } = useRouter()
  const covered = useSyncExternalStore(watchLayers, isCovered)

  useEffect(() => {
    if (!covered) return
    return history.block({
      blockerFn: ({ action, currentLocation }) => {
        if (action === 'PUSH' || action === 'REPLACE') return false
        if (action === 'FORWARD') return true
        const isBare = leaveTop()
        return !(isBare && currentLocation.state.over === true)
      },
      enableBeforeUnload: isTyped,
    })
  }, [history, covered])

  useEffect(() => {
    const settle = () => {
      const { href, state } = history.location
      if (isCovered() && state.__TSR_index === 0) history.push(href, { over: true }, { ignoreBlocker: true })
      else if (!isCovered() && state.over === true) history.back({ ignoreBlocker: true })
    }
    // What closes one thing may open another, or lead elsewhere, in the same breath.
    let timer = setTimeout(settle)
    const stop = history.subscribe(({ action }) => {
      if (action.type !== 'BACK') return
      clearTimeout(timer)
      timer = setTimeout(settle)
    })
    return () => {
      clearTimeout(timer)
      stop()
    }
  }, [history, covered])
}
