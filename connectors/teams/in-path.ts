/** An id as a part of a path, whatever is in it: the SDK puts ids there as they are. */
export const inPath = (id: string) => encodeURIComponent(id.toWellFormed())
