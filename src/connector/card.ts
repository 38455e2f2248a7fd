/** What a connector for a chat tool draws: the card model of the workbench. */
export type * from '../workbench/card.ts'
