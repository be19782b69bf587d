import { useState } from 'react'

/** Copies text; `copied` is true until the text changes. Works without a secure context too, where there is no Clipboard API. */
export function useClipboard(): { copied: boolean; copy: (text: string) => Promise<void> } {
  const [copied, setCopied] = useState(false)
  const copy = async (text: string) => {
    setCopied(await write(text))
  }
  return { copied, copy }
}

async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = document.createElement('textarea')
    area.value = text
    area.readOnly = true
    const host = document.activeElement?.closest('[role="dialog"]') ?? document.body
    host.append(area)
    area.select()
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way where the page is not a secure context
    const done = document.execCommand('copy')
    area.remove()
    return done
  }
}
