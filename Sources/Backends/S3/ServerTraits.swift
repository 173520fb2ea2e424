/// What is known of servers by what they call themselves in the `Server` header. All such knowledge stands here.
struct ServerTraits: Sendable, Hashable {
    /// Whether it lists folder by folder instead of by the bytes of whole keys.
    let listsByFolder: Bool
    /// Whether it takes `\` in a key for `/`, so that two keys become one.
    let mistakesBackslashes: Bool

    /// Reads the header's value.
    init(serverName: String?) {
        // SeaweedFS keeps keys as files in folders (seen with 4.48).
        let isSeaweed = serverName?.hasPrefix("SeaweedFS") == true
        listsByFolder = isSeaweed
        mistakesBackslashes = isSeaweed
    }
}
