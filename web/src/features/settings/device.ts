export interface Device {
  kind: 'computer' | 'phone' | 'program'
  /** In the words of whoever sits before it: "Firefox on Linux". */
  name: string
}

/** The first that fits: most browsers name several others too. */
const BROWSERS: [RegExp, string][] = [
  [/\bEdgA?\/|\bEdgiOS\//, 'Edge'],
  [/\bOPR\/|\bOpera\b/, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
  [/\b(Headless)?Chrome\/|\bCriOS\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
]

const SYSTEMS: [RegExp, string, Device['kind']][] = [
  [/\biPhone\b/, 'iPhone', 'phone'],
  [/\biPad\b/, 'iPad', 'phone'],
  [/\bAndroid\b/, 'Android', 'phone'],
  [/\bWindows\b/, 'Windows', 'computer'],
  [/\bMacintosh\b|\bMac OS X\b/, 'Mac', 'computer'],
  [/\bCrOS\b/, 'ChromeOS', 'computer'],
  [/\bLinux\b/, 'Linux', 'computer'],
]

/** What a User-Agent header tells of a device. Whatever is no browser is called by the first word that it says. */
export function deviceOf(userAgent: string): Device {
  const browser = BROWSERS.find(([pattern]) => pattern.test(userAgent))?.[1]
  const system = SYSTEMS.find(([pattern]) => pattern.test(userAgent))
  if (browser === undefined) {
    const word = /^[^\s/]+/.exec(userAgent)?.[0]
    return { kind: 'program', name: word ?? 'An unknown program' }
  }
  return system === undefined ? { kind: 'computer', name: browser } : { kind: system[2], name: `${browser} on ${system[1]}` }
}
