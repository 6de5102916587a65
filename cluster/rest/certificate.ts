import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { ClusterError } from '../api/errors.ts'
import type { RestConfig } from './config.ts'

export interface Certificate { readonly cert: Buffer, readonly key: Buffer, readonly minVersion: 'TLSv1.2' }

/** @throws ClusterError ERR_INVALID_ARGUMENT when the files cannot be read, or are no certificate and its key */
export async function certificateOf ({ sslCertFile, sslKeyFile }: RestConfig, folder: string): Promise<Certificate | undefined> {
  if (sslCertFile === undefined || sslKeyFile === undefined) return undefined
  const certificate = { cert: await pem(folder, sslCertFile), key: await pem(folder, sslKeyFile), minVersion: 'TLSv1.2' } as const
  try {
    createSecureContext(certificate)
    return certificate
  } catch (err) {
    throw new ClusterError('ERR_INVALID_ARGUMENT', `api.restapi: ssl_cert_file, ssl_key_file: expected a certificate and its key: ${(err as Error).message}`, { cause: err })
  }
}

async function pem (folder: string, file: string): Promise<Buffer> {
  try {
    return await readFile(resolve(folder, file))
  } catch (err) {
    throw new ClusterError('ERR_INVALID_ARGUMENT', `api.restapi: cannot read ${file}: ${(err as Error).message}`, { cause: err })
  }
}
