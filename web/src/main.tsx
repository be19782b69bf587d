import '@fontsource-variable/hanken-grotesk/wght.css'
import '@fontsource-variable/hanken-grotesk/wght-italic.css'
import './ui/tokens.css'
import './ui/base.css'
import { createRoot } from 'react-dom/client'
import { start } from './app/start'
import { updates } from './app/updates'
import { applyLooks } from './features/settings/looks'

applyLooks()

const place = document.getElementById('root')
if (place === null) throw new Error('index.html has no #root')
void start(createRoot(place))
void updates.start()
