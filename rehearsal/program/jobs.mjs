// A module of plain functions.

export const shout = (text) => text.toUpperCase()
