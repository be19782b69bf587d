/** In Hz: a fourth upwards. */
const TONES = [587.33, 783.99]
const APART_S = 0.13
const LASTS_S = 0.45
const LOUD = 0.07
/** As long as it may take to begin: what was held back is not heard later, when one clicks somewhere. */
const BEGINS_WITHIN_MS = 1_000

/** Two soft, short tones. */
export async function chime(): Promise<void> {
  const audio = new AudioContext()
  const volume = audio.createGain()
  volume.gain.value = LOUD
  volume.connect(audio.destination)
  const played = TONES.map((frequency, at) => tone(audio, volume, frequency, at * APART_S))
  const held = new Promise<void>((over) => setTimeout(() => {
    if (audio.state !== 'running') over()
  }, BEGINS_WITHIN_MS))
  await Promise.race([Promise.all(played), held])
  await audio.close()
}

/** Swells at once and dies away, as of a bell. */
function tone(audio: AudioContext, to: AudioNode, frequency: number, after: number): Promise<unknown> {
  const [wave, swell] = [audio.createOscillator(), audio.createGain()]
  const begin = audio.currentTime + after
  wave.frequency.value = frequency
  swell.gain.setValueAtTime(0, begin)
  swell.gain.linearRampToValueAtTime(1, begin + 0.015)
  swell.gain.exponentialRampToValueAtTime(0.001, begin + LASTS_S)
  wave.connect(swell).connect(to)
  wave.start(begin)
  wave.stop(begin + LASTS_S)
  return new Promise((over) => wave.addEventListener('ended', over))
}
