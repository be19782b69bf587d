import { afterEach, describe, expect, test, vi } from 'vitest'
import { forget, recall, remember } from './memory'

/** A storage that may refuse. */
function storage() {
  const kept = new Map<string, string>()
  const refuses = { reading: false, writing: false }
  vi.stubGlobal('localStorage', {
    getItem(key: string) {
      if (refuses.reading) throw new DOMException('no', 'SecurityError')
      return kept.get(key) ?? null
    },
    setItem(key: string, value: string) {
      if (refuses.writing) throw new DOMException('full', 'QuotaExceededError')
      kept.set(key, value)
    },
    removeItem: (key: string) => kept.delete(key),
  })
  return { kept, refuses }
}

describe('what this browser remembers', () => {
  afterEach(() => {
    forget('k')
    vi.unstubAllGlobals()
  })

  test('is kept where it can be', () => {
    const { kept } = storage()
    remember('k', 'a')
    expect([recall('k'), kept.get('k')]).toEqual(['a', 'a'])
    forget('k')
    expect(recall('k')).toBeUndefined()
  })

  test('on a full disk the newest holds, and is kept as soon as there is room', () => {
    const { kept, refuses } = storage()
    remember('k', 'a')
    refuses.writing = true
    remember('k', 'b')
    expect([recall('k'), kept.get('k')]).toEqual(['b', 'a'])
    refuses.writing = false
    remember('k', 'c')
    expect([recall('k'), kept.get('k')]).toEqual(['c', 'c'])
  })

  test('where nothing may be kept it holds as long as the page', () => {
    vi.stubGlobal('localStorage', undefined)
    expect(recall('k')).toBeUndefined()
    remember('k', 'a')
    expect(recall('k')).toBe('a')
    forget('k')
    expect(recall('k')).toBeUndefined()
  })
})
