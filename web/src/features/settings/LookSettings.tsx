import { Monitor, Moon, Sun } from 'lucide-react'
import { ChoiceCards } from '../../ui/ChoiceCards'
import { useTheme } from './theme'

const THEMES = [
  { value: 'system', icon: Monitor, label: 'As the system', text: 'Light by day and dark by night, if yours does that' },
  { value: 'light', icon: Sun, label: 'Light', text: 'Warm paper' },
  { value: 'dark', icon: Moon, label: 'Dark', text: 'Easy on the eyes at night' },
] as const

/** Kept in this browser only: another screen may be another place. */
export function LookSettings() {
  const [theme, setTheme] = useTheme()
  return <ChoiceCards legend="Theme, in this browser" name="theme" options={THEMES} value={theme} onChange={setTheme} />
}
