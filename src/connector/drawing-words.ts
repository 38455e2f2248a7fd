/** The few words that drawing a card adds to it, in the reader's language. */
export { drawingWords } from '../workbench/messages/index.ts'
