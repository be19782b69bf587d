import styles from './Logo.module.css'

/** The mark: a speech bubble in which a sequence grows. */
export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden className={styles.logo}>
      <path
        className={styles.bubble}
        d="M9.5 3h13A7.5 7.5 0 0 1 30 10.5v8a7.5 7.5 0 0 1-7.5 7.5H13l-5.7 3.9A1.5 1.5 0 0 1 5 28.7v-4A7.5 7.5 0 0 1 2 18.5v-8A7.5 7.5 0 0 1 9.5 3z"
      />
      <path className={styles.bars} d="M10.5 17.5v2M16 13.5v6M21.5 9.5v10" />
    </svg>
  )
}
