import Glibc

/// The parser that `FUZZING_PARSER` names; libFuzzer's `main` gives no context, so that it is chosen before. Without it, or with
/// another word, the names are printed.
private let chosen: Parser = {
    let name = unsafe getenv("FUZZING_PARSER").map { unsafe String(cString: $0) }
    guard let parser = Parser.all.first(where: { $0.name == name }) else {
        for parser in Parser.all { print(parser.name) }
        exit(name == nil ? 0 : 2)
    }
    return parser
}()

/// What libFuzzer calls before the first input (LLVM documentation, "libFuzzer", "Startup initialization").
@_cdecl("LLVMFuzzerInitialize") public func prepare(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> Int32 {
    _ = chosen
    return 0
}

/// What libFuzzer calls with each input ("Fuzz target").
@_cdecl("LLVMFuzzerTestOneInput") public func test(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    // Sound: libFuzzer's bytes live for the call.
    chosen.parse(unsafe Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}
