import { Contrast, Monitor, Moon, Rows3, Rows4, Sun, SunMoon } from 'lucide-react'
import { ChoiceCards } from '../../ui/ChoiceCards'
import { useContrast, useDensity, useTheme } from './looks'
import styles from './Settings.module.css'

const THEMES = [
  { value: 'system', icon: Monitor, label: 'As the system' },
  { value: 'light', icon: Sun, label: 'Light' },
  { value: 'dark', icon: Moon, label: 'Dark' },
] as const

const DENSITIES = [
  { value: 'comfortable', icon: Rows3, label: 'Comfortable', text: 'Room to breathe' },
  { value: 'compact', icon: Rows4, label: 'Compact', text: 'More messages at once' },
] as const

const CONTRASTS = [
  { value: 'system', icon: SunMoon, label: 'Contrast as the system', text: 'More, if yours asks for it' },
  { value: 'more', icon: Contrast, label: 'High contrast', text: 'Black on white, and clear lines' },
] as const

/** Kept in this browser only: another screen may be another place. */
export function LookSettings() {
  const [theme, setTheme] = useTheme()
  const [density, setDensity] = useDensity()
  const [contrast, setContrast] = useContrast()
  return (
    <div className={styles.form}>
      <ChoiceCards inRow legend="Theme, in this browser" name="theme" options={THEMES} value={theme} onChange={setTheme} />
      <ChoiceCards inRow legend="Density" name="density" options={DENSITIES} value={density} onChange={setDensity} />
      <ChoiceCards inRow legend="Contrast" name="contrast" options={CONTRASTS} value={contrast} onChange={setContrast} />
    </div>
  )
}
