// Automatic exposure that follows the scene with a lag: `measure` writes what each frame asks for, `adapt` the lag.
// bindings  those of sensor.wgsl; measure reads source and writes exposures, adapt changes exposures
// requires  measure: one workgroup per frame; adapt: one invocation
// called by src/synth/gpu/develop.rs     CPU twin: src/synth/sensor.rs::Sensor::expose

const THREADS: u32 = 256u;

@group(1) @binding(4) var<storage, read_write> exposures: array<f32>;

var<workgroup> sums: array<f32, THREADS>;

@compute @workgroup_size(256)
fn measure(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let pixels = sensor.width * sensor.height;
    var sum = 0.0;
    for (var i = thread; i < pixels; i += THREADS) {
        sum += min(luminance(source[group.x * pixels + i].xyz), 1.5);
    }
    sums[thread] = sum;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (thread < half) {
            sums[thread] += sums[thread + half];
        }
    }
    if (thread == 0u) {
        exposures[group.x] = clamp(sensor.wanted / max(sums[0] / f32(pixels), 0.01), 0.15, 8.0);
    }
}

@compute @workgroup_size(1)
fn adapt() {
    var exposure = sensor.exposure;
    for (var frame = 0u; frame < sensor.frames; frame++) {
        let wanted = exposures[frame];
        exposure = select(exposure + (wanted - exposure) * sensor.adaptation, wanted, exposure <= 0.0);
        exposures[frame] = exposure;
    }
}
