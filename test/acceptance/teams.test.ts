import { acceptance } from './acceptance.ts'

acceptance('Teams')
