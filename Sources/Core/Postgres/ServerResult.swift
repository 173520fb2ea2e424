import CLibpq

/// One result of a command, as libpq keeps it; freed with the last reference. One task uses it.
@safe final class ServerResult {
    private let handle: OpaquePointer

    /// Takes over a result of `PQgetResult`.
    init(owning handle: OpaquePointer) { unsafe self.handle = handle }

    deinit { unsafe PQclear(handle) }

    /// What kind of result it is.
    var status: ExecStatusType { unsafe PQresultStatus(handle) }

    /// Whether it says that the command failed.
    var isError: Bool {
        let status = status
        return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_PIPELINE_ABORTED
    }

    /// What the server said about the fault.
    var message: ServerMessage {
        guard let primary = field("M") else {
            return unsafe ServerMessage(verbose: String(cString: PQresultErrorMessage(handle)))
        }
        return ServerMessage(sqlState: field("C"), primary: primary, detail: field("D"), hint: field("H"))
    }

    /// The rows.
    var rows: [[String?]] {
        let columns = unsafe PQnfields(handle)
        return unsafe (0..<PQntuples(handle)).map { row in
            (0..<columns).map { column in text(row: row, column: column) }
        }
    }

    /// How many rows.
    var rowCount: Int { unsafe Int(PQntuples(handle)) }

    /// A field's bytes in the result's memory; nil for NULL, and where there is no such field.
    @unsafe func buffer(row: Int, column: Int) -> UnsafeRawBufferPointer? {
        let (row, column) = (Int32(clamping: row), Int32(clamping: column))
        guard unsafe row < PQntuples(handle), unsafe column < PQnfields(handle) else { return nil }
        guard unsafe PQgetisnull(handle, row, column) == 0, let value = unsafe PQgetvalue(handle, row, column) else {
            return nil
        }
        return unsafe UnsafeRawBufferPointer(start: value, count: Int(PQgetlength(handle, row, column)))
    }

    /// A field's bytes, of a result with at least so many rows and columns; nil for NULL, and where there is no such field.
    func bytes(row: Int32, column: Int32) -> [UInt8]? {
        unsafe buffer(row: Int(row), column: Int(column)).map { unsafe Array($0) }
    }

    /// A field as text.
    func text(row: Int32, column: Int32) -> String? {
        bytes(row: row, column: column).map { String(decoding: $0, as: UTF8.self) }
    }

    /// A part of an error by its letter in the protocol (chapter "Error and Notice Message Fields").
    private func field(_ code: Unicode.Scalar) -> String? {
        guard let text = unsafe PQresultErrorField(handle, Int32(code.value)) else { return nil }
        return unsafe String(cString: text)
    }
}
