/**
 * Directories that the name of one uploaded file may lead through. A name of a few hundred kilobytes of slashes would otherwise be a hundred
 * thousand directories, and end the process; no system has paths as long as this one allows.
 */
export const nameStepsMax = 4_096
export const tooDeep = `the name of an uploaded file leads through more than ${nameStepsMax} directories`
