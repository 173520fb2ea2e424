import CEngine

/// How the process's allocator holds memory.
package enum MemoryUse {
    /// Makes blocks that are let go leave the process. To be called before a second thread runs.
    ///
    /// Left alone, glibc learns from each large block that is freed to take the next one from its heap, and gives every thread a
    /// heap of its own; a list of files that was long then stays in the process's memory, many times.
    package static func keepSmall() { pgm_keep_memory_small() }
}
