// A module of tasks.

import { defineTasks } from 'millrace'

export const { twice } = defineTasks(import.meta.url, { twice: (number) => 2 * number })
