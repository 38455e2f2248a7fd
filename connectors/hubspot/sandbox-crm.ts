/** The sandbox's state: what a small HubSpot account holds and does, in memory. Ids are strings of digits, times `Date`s. */

export type ObjectKind = 'tickets' | 'contacts' | 'companies' | 'notes'
type Properties = Readonly<Record<string, string | null>>

interface Snapshot {
  readonly at: Date
  readonly properties: Properties
}

export interface CrmObject {
  readonly id: string
  readonly kind: ObjectKind
  readonly createdAt: Date
  updatedAt: Date
  properties: Properties
  isArchived: boolean
  /** Earlier states, oldest first: what the search's index still shows. */
  readonly history: Snapshot[]
}

export interface CrmStage {
  readonly id: string
  readonly label: string
  readonly isClosed: boolean
}
export interface CrmOwner {
  readonly id: string
  readonly userId: string
  readonly email: string
  readonly firstName: string
  readonly lastName: string
}
export interface CrmProperty {
  readonly name: string
  readonly type: 'string' | 'number' | 'enumeration' | 'bool'
  readonly fieldType: string
  readonly hasUniqueValue: boolean
  readonly options?: readonly string[]
}
export interface CrmThread {
  readonly id: string
  readonly ticketId: string
  readonly contactId: string
  readonly channelId: string
  readonly channelAccountId: string
  readonly messages: { readonly id: string; readonly at: Date; readonly body: Readonly<Record<string, unknown>> }[]
}

export interface CrmFile {
  readonly id: string
  readonly name: string
  readonly content: Buffer
}

/** Who did it, as webhooks tell it. */
export interface Doer {
  readonly changeSource: string
  readonly sourceId: string
}

/** What a webhook tells beside its head. */
export type CrmEvent = { readonly at: Date; readonly type: string; readonly doer: Doer } & Readonly<
  Record<string, unknown>
>

/** A refusal in HubSpot's words. */
export class CrmRefusal extends Error {
  readonly status: number
  readonly category: string
  constructor(status: number, category: string, message: string) {
    super(message)
    this.status = status
    this.category = category
  }
}

const typeIds = { tickets: '0-5', contacts: '0-1', companies: '0-2', notes: '0-46' } as const
const singular = { tickets: 'ticket', contacts: 'contact', companies: 'company', notes: 'note' } as const
const modifiedNames = { tickets: 'hs_lastmodifieddate', contacts: 'lastmodifieddate' } as const

export function modifiedName(kind: ObjectKind): string {
  return kind === 'contacts' ? modifiedNames.contacts : modifiedNames.tickets
}

export interface CrmOptions {
  readonly now: () => Date
  /** Called for each event, in the order of things. */
  tell(event: CrmEvent): void
}

export class Crm {
  readonly objects = new Map<string, CrmObject>()
  readonly owners: CrmOwner[] = []
  readonly threads: CrmThread[] = []
  readonly files: CrmFile[] = []
  readonly stages: readonly CrmStage[] = [
    { id: '1', label: 'New', isClosed: false },
    { id: '2', label: 'Waiting on contact', isClosed: false },
    { id: '3', label: 'Waiting on us', isClosed: false },
    { id: '4', label: 'Closed', isClosed: true },
  ]
  readonly properties: Readonly<Record<'tickets' | 'contacts', CrmProperty[]>> = {
    tickets: [
      { name: 'deskweave_key', type: 'string', fieldType: 'text', hasUniqueValue: true },
      { name: 'deskweave_tags', type: 'enumeration', fieldType: 'checkbox', hasUniqueValue: false },
      { name: 'hub_csat_score', type: 'number', fieldType: 'number', hasUniqueValue: false },
    ],
    contacts: [
      { name: 'hub_csat_score', type: 'number', fieldType: 'number', hasUniqueValue: false },
      { name: 'customer_number', type: 'string', fieldType: 'text', hasUniqueValue: true },
    ],
  }
  readonly #options: CrmOptions
  /** Ids of the records that a record is associated with, in the order they were. */
  readonly #associations = new Map<string, string[]>()
  #nextId = 9001
  #lastAt = 0

  constructor(options: CrmOptions) {
    this.#options = options
  }

  /** Each thing happens in a millisecond of its own, also when the clock stands still. */
  #tick(): Date {
    this.#lastAt = Math.max(this.#options.now().getTime(), this.#lastAt + 1)
    return new Date(this.#lastAt)
  }

  newId(): string {
    this.#nextId += 1
    return String(this.#nextId)
  }

  addOwner(facts: Pick<CrmOwner, 'email' | 'firstName' | 'lastName'>): CrmOwner {
    const owner = { id: this.newId(), userId: this.newId(), ...facts }
    this.owners.push(owner)
    return owner
  }

  all(kind: ObjectKind): CrmObject[] {
    return [...this.objects.values()].filter((one) => one.kind === kind && !one.isArchived)
  }

  get(kind: ObjectKind, id: string): CrmObject {
    const found = this.objects.get(id)
    if (found?.kind === kind && !found.isArchived) return found
    throw new CrmRefusal(404, 'OBJECT_NOT_FOUND', `Object not found. objectId ${id} of type ${kind}`)
  }

  /** By id, or by a property with unique values. */
  find(kind: ObjectKind, id: string, idProperty?: string): CrmObject | undefined {
    if (idProperty === undefined) return this.all(kind).find((one) => one.id === id)
    const wanted = idProperty === 'email' ? id.toLowerCase() : id
    return this.all(kind).find((one) => one.properties[idProperty] === wanted)
  }

  create(kind: ObjectKind, given: Properties, doer: Doer, associated: readonly string[] = []): CrmObject {
    const properties = this.#clean(kind, given)
    const at = this.#tick()
    const object: CrmObject = {
      id: this.newId(),
      kind,
      createdAt: at,
      updatedAt: at,
      properties,
      isArchived: false,
      history: [{ at, properties }],
    }
    this.objects.set(object.id, object)
    for (const other of associated) this.#join(object.id, other)
    this.#tell(object, 'creation', at, doer, { changeFlag: 'CREATED' })
    this.#tellProperties(object, properties, at, doer)
    return object
  }

  update(object: CrmObject, given: Properties, doer: Doer): void {
    const changed = this.#clean(object.kind, given, object)
    const at = this.#tick()
    const news = Object.entries(changed).filter(([name, value]) => object.properties[name] !== value)
    object.properties = { ...object.properties, ...changed }
    object.updatedAt = at
    object.history.push({ at, properties: object.properties })
    this.#tellProperties(object, Object.fromEntries(news), at, doer)
  }

  archive(object: CrmObject, doer: Doer): void {
    object.isArchived = true
    this.#tell(object, 'deletion', this.#tick(), doer, { changeFlag: 'DELETED' })
  }

  /** The second one is gone, and what it was associated with belongs to the first. */
  merge(winner: CrmObject, loser: CrmObject, doer: Doer): void {
    loser.isArchived = true
    for (const other of this.associated(loser.id)) this.#join(winner.id, other)
    const at = this.#tick()
    winner.updatedAt = at
    winner.history.push({ at, properties: winner.properties })
    this.#options.tell({
      at,
      doer,
      type: `${singular[winner.kind]}.merge`,
      objectId: Number(winner.id),
      primaryObjectId: Number(winner.id),
      mergedObjectIds: [Number(loser.id)],
      newObjectId: Number(winner.id),
      numberOfPropertiesMoved: 0,
    })
  }

  associate(from: CrmObject, to: CrmObject, doer: Doer): void {
    this.#join(from.id, to.id)
    this.#options.tell({
      at: this.#tick(),
      doer,
      type: 'object.associationChange',
      objectTypeId: typeIds[from.kind],
      fromObjectId: Number(from.id),
      toObjectId: Number(to.id),
      fromObjectTypeId: typeIds[from.kind],
      toObjectTypeId: typeIds[to.kind],
      associationTypeId: from.kind === 'tickets' ? 16 : 279,
      associationCategory: 'HUBSPOT_DEFINED',
      associationRemoved: false,
      isPrimaryAssociation: false,
    })
  }

  associated(id: string, kind?: ObjectKind): string[] {
    const ids = this.#associations.get(id) ?? []
    return kind === undefined ? ids : ids.filter((one) => this.find(kind, one))
  }

  openThread(ticketId: string, contactId: string): CrmThread {
    const thread: CrmThread = {
      id: this.newId(),
      ticketId,
      contactId,
      channelId: '1002',
      channelAccountId: '424200',
      messages: [],
    }
    this.threads.push(thread)
    return thread
  }

  /** As the index of the search shows it, `lagMs` behind; `undefined` when it does not know the record yet. */
  indexed(object: CrmObject, lagMs: number): Snapshot | undefined {
    const until = this.#options.now().getTime() - lagMs
    return lagMs === 0 ? object.history.at(-1) : object.history.findLast(({ at }) => at.getTime() <= until)
  }

  #join(one: string, other: string): void {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      const known = this.#associations.get(from) ?? []
      if (!known.includes(to)) this.#associations.set(from, [...known, to])
    }
  }

  #clean(kind: ObjectKind, given: Properties, object?: CrmObject): Properties {
    const cleaned = Object.entries(given).map(([name, value]): [string, string | null] => {
      const property = this.properties[kind === 'contacts' ? 'contacts' : 'tickets'].find((one) => one.name === name)
      const text = name === 'email' ? (value ?? '').toLowerCase() : value
      if (property?.fieldType === 'checkbox' && text?.startsWith(';')) {
        const before = (object?.properties[name] ?? '').split(';').filter(Boolean)
        return [name, [...new Set([...before, ...text.split(';').filter(Boolean)])].join(';')]
      }
      if (property?.type === 'number' && text && Number.isNaN(Number(text))) {
        throw new CrmRefusal(400, 'VALIDATION_ERROR', `Property values were not valid: ${name} was not a valid number`)
      }
      const isUnique = property?.hasUniqueValue || (kind === 'contacts' && name === 'email')
      const holder = isUnique && text ? this.find(kind, text, name) : undefined
      if (holder && holder !== object) {
        throw new CrmRefusal(409, 'CONFLICT', `${name} must be unique. Existing ID: ${holder.id}`)
      }
      return [name, text === '' ? null : text]
    })
    return Object.fromEntries(cleaned)
  }

  #tellProperties(object: CrmObject, properties: Properties, at: Date, doer: Doer): void {
    for (const [propertyName, propertyValue] of Object.entries(properties)) {
      if (!told.has(propertyName)) continue
      this.#tell(object, 'propertyChange', at, doer, { propertyName, propertyValue: propertyValue ?? '' })
    }
  }

  #tell(object: CrmObject, change: string, at: Date, doer: Doer, more: Readonly<Record<string, unknown>>): void {
    if (object.kind === 'notes') return
    this.#options.tell({ at, doer, type: `${singular[object.kind]}.${change}`, objectId: Number(object.id), ...more })
  }
}

/** Each property needs its own subscription; these have one. */
const told = new Set([
  'subject',
  'hs_pipeline_stage',
  'hs_ticket_priority',
  'hubspot_owner_id',
  'deskweave_tags',
  'hub_csat_score',
  'email',
  'firstname',
  'lastname',
  'phone',
])
