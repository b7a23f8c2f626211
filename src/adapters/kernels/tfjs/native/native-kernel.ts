import * as tf from '@tensorflow/tfjs-core';

type Tensors<Name extends string> = Readonly<Record<Name, tf.Tensor>>;

/** One operation of libtensorflow with its gradient, known to tfjs under a name of its own. */
interface Definition<Name extends string, Options extends object> {
  readonly name: string;
  readonly inputs: readonly Name[];
  /** Runs off the tape; the first output is the value that has a gradient, others may be kept for it. */
  forward(inputs: Tensors<Name>, options: Options): tf.Tensor[];
  /** Which outputs `backward` wants to see. Default: the first. */
  readonly keeps?: readonly boolean[];
  /** For each input its gradient, made only where it is asked for: images need none. */
  backward(
    dy: tf.Tensor,
    inputs: Tensors<Name>,
    outputs: readonly tf.Tensor[],
    options: Options,
  ): Readonly<Record<Name, () => tf.Tensor>>;
}

export interface NativeKernel<Name extends string, Options extends object> {
  register(): void;
  run(inputs: Tensors<Name>, options: Options): tf.Tensor[];
}

/** A kernel of ours in tfjs's registries, so that its tape asks for no more gradients than it needs. */
export function nativeKernel<Name extends string, Options extends object>(
  definition: Definition<Name, Options>,
): NativeKernel<Name, Options> {
  const { name, inputs: names, forward, backward, keeps = [true] } = definition;
  return {
    register() {
      if (tf.getGradient(name)) return;
      tf.registerKernel({
        kernelName: name,
        backendName: 'tensorflow',
        kernelFunc: ({ inputs, attrs }) => inTidy(() => forward(inputs as Tensors<Name>, attrs as Options)),
      });
      tf.registerGradient({
        kernelName: name,
        inputsToSave: [...names],
        outputsToSave: [...keeps],
        gradFunc: (dy, saved, attrs) => {
          const first = Array.isArray(dy) ? dy[0]! : dy;
          const given = Object.fromEntries(names.map((each, i) => [each, saved[i]!]));
          return backward(first, given as Tensors<Name>, saved.slice(names.length), attrs as Options);
        },
      });
    },
    run: (inputs, options) => {
      const made = tf
        .engine()
        .runKernel(name, { ...inputs } as unknown as tf.NamedTensorMap, options as tf.NamedAttrMap);
      return (Array.isArray(made) ? made : [made]) as tf.Tensor[];
    },
  };
}

/** tf.tidy keeps what it is handed in any container, but its type does not know lists of readonly. */
const inTidy = (make: () => tf.Tensor[]): tf.Tensor[] => tf.tidy(make);
