/** What tests read of the picture that is shown. */
export const debug: { hatched: () => number } = { hatched: () => 0 };
