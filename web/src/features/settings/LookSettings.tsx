import { Contrast, Monitor, Moon, Rows3, Rows4, Sun, SunMoon } from 'lucide-react'
import { ChoiceCards } from '../../ui/ChoiceCards'
import { useContrast, useDensity, useTheme } from './looks'
import styles from './Settings.module.css'

const THEMES = [
  { value: 'system', icon: Monitor, label: 'As the system', text: 'Light by day and dark by night, if yours does that' },
  { value: 'light', icon: Sun, label: 'Light', text: 'Warm paper' },
  { value: 'dark', icon: Moon, label: 'Dark', text: 'Easy on the eyes at night' },
] as const

const DENSITIES = [
  { value: 'comfortable', icon: Rows3, label: 'Comfortable', text: 'Room to breathe' },
  { value: 'compact', icon: Rows4, label: 'Compact', text: 'More messages at once' },
] as const

const CONTRASTS = [
  { value: 'system', icon: SunMoon, label: 'Contrast as the system', text: 'More of it, if your system asks for that' },
  { value: 'more', icon: Contrast, label: 'High contrast', text: 'Black and white, and lines around what can be pressed' },
] as const

/** Kept in this browser only: another screen may be another place. */
export function LookSettings() {
  const [theme, setTheme] = useTheme()
  const [density, setDensity] = useDensity()
  const [contrast, setContrast] = useContrast()
  return (
    <div className={styles.form}>
      <ChoiceCards legend="Theme, in this browser" name="theme" options={THEMES} value={theme} onChange={setTheme} />
      <ChoiceCards legend="Density" name="density" options={DENSITIES} value={density} onChange={setDensity} />
      <ChoiceCards legend="Contrast" name="contrast" options={CONTRASTS} value={contrast} onChange={setContrast} />
    </div>
  )
}
