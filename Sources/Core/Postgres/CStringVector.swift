import Glibc

/// Lends C strings, nil for nil and nil behind the last, for the time of `body`. They are wiped afterwards, because one may be a
/// password.
func withCStrings<Result, Failure: Error>(
    _ strings: [String?], _ body: ([UnsafePointer<CChar>?]) throws(Failure) -> Result
) throws(Failure) -> Result {
    let copies = unsafe strings.map { string in unsafe string.flatMap { unsafe strdup($0) } }
    defer {
        unsafe copies.forEach { copy in
            guard let copy = unsafe copy else { return }
            unsafe memset(copy, 0, strlen(copy))
            unsafe free(copy)
        }
    }
    return unsafe try body(copies.map { unsafe UnsafePointer($0) } + [nil])
}
