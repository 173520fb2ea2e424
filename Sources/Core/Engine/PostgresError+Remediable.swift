package import BackupAPI
package import PostgresClient

extension PostgresError: Remediable {
    package var retry: RetryAdvice { mayRetry ? .later : .never }
}
