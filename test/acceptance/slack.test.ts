import { acceptance } from './acceptance.ts'

acceptance('Slack')
